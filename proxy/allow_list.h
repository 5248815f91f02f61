#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "proxy/address.h"

namespace smtpscope {

/// The clients that may use the proxy: always those of this host's loopback, and the networks
/// that were added. The server behind sees only the proxy's address, so whatever it trusts
/// (Postfix's mynetworks) it trusts in every client let in here.
class AllowList {
 public:
  /// "192.0.2.0/24", "2001:db8::/32", or a single address.
  Result<Done> add(std::string_view cidr);
  bool empty() const { return networks_.empty(); }
  bool admits(const SocketAddress& client) const;

 private:
  struct Network {
    int family = 0;
    std::array<std::uint8_t, 16> prefix{};
    unsigned bits = 0;
  };
  std::vector<Network> networks_;
};

}  // namespace smtpscope
