#pragma once

#include <vector>

#include "net/address.h"

namespace smtpscope {

/// Whether it can be bound to, as only an address of the host can (or any, where the host is set up
/// so: ip_nonlocal_bind). That includes what no interface lists: all of 127.0.0.0/8, and networks
/// that are routed to the host as a whole. The port does not matter.
bool is_of_this_host(SocketAddress address);

/// Where this program itself listens: what connects there would come back to it, again and again.
class OwnListeners {
 public:
  void add(const SocketAddress& address) { addresses_.push_back(address); }
  void clear() { addresses_.clear(); }
  const std::vector<SocketAddress>& all() const { return addresses_; }

  /// The listener that a connection to `target` would reach; nullptr if it is none of these. A
  /// wildcard stands for all addresses of the host.
  const SocketAddress* reached_by(const SocketAddress& target) const;
  /// It is an address of this host with the port of some listener: what connects there comes back,
  /// or would once a rule redirects it.
  bool may_come_back(const SocketAddress& target) const;
  /// Some listener has this port, so that it is worth knowing the addresses behind a name.
  bool has_port(std::uint16_t port) const;

 private:
  std::vector<SocketAddress> addresses_;
};

}  // namespace smtpscope
