#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/time.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/own_listeners.h"
#include "net/resolver.h"

namespace smtpscope {

/// A server that sessions connect to.
struct Upstream {
  Endpoint endpoint;                   // where to connect; never a local server
  std::string name;                    // what the user asked for
  std::string tls_name;                // whom its certificate must be for; "" if it has no name
  Duration connect_timeout{};          // per address
  std::unique_ptr<Resolver> resolver;  // nullptr for a Unix socket
  const OwnListeners* own = nullptr;   // never to be connected to
};
using UpstreamPtr = std::shared_ptr<const Upstream>;

/// Who has connected, and where: what the choice of a server may depend on.
struct Arrival {
  SocketAddress client;
  SocketAddress listener;  // as it was opened, maybe a wildcard
  SocketAddress reached;   // the address that the client has connected to
  bool tls = false;        // it speaks TLS from its first octet
  /// Where the client wanted to go, if a rule of the firewall has sent it here.
  std::optional<SocketAddress> wanted = {};
};

/// Chooses the server of a session.
using Route = std::function<Endpoint(const Arrival&)>;

/// The servers of a run. Sessions with the same one share its lookups; one that no session uses any
/// more is forgotten, so a route may name as many as it likes. Must outlive its servers.
class Upstreams {
 public:
  /// `own` must outlive it; `connect_timeout` is for each address.
  Upstreams(Loop& loop, const OwnListeners& own, Duration connect_timeout)
      : loop_(loop), own_(own), connect_timeout_(connect_timeout) {}

  UpstreamPtr find(const Endpoint& endpoint);
  /// One whose address is known, under the name that the user gave it.
  UpstreamPtr fixed(const std::string& name, const SocketAddress& address);
  std::size_t known() const { return known_.size(); }

 private:
  Loop& loop_;
  const OwnListeners& own_;
  const Duration connect_timeout_;
  std::unordered_map<std::string, std::weak_ptr<const Upstream>> known_;
};

}  // namespace smtpscope
