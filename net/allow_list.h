#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"

namespace smtpscope {

/// The clients that may use the proxy: always those of this host's loopback, and the networks
/// that were added. The server behind sees only the proxy's address, so whatever it trusts
/// (Postfix's mynetworks) it trusts in every client let in here.
class AllowList {
 public:
  /// "192.0.2.0/24", "2001:db8::/32", or a single address; written as inet_pton(3) reads it, which
  /// leaves no doubt. A network of everybody only after add_everyone(). The Error says what to
  /// write.
  Result<Done> add(std::string_view cidr);
  void add_everyone();
  bool empty() const { return networks_.empty() && !everyone_; }
  bool admits(const SocketAddress& client) const;
  /// In a network that was added; the loopback counts for no more than any other.
  bool names(const SocketAddress& client) const;

 private:
  struct Network {
    int family = 0;
    std::array<std::uint8_t, 16> prefix{};
    unsigned bits = 0;
  };
  std::vector<Network> networks_;
  bool everyone_ = false;
};

}  // namespace smtpscope
