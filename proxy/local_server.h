#pragma once

#include <cstdint>

#include "net/address.h"

namespace smtpscope {

/// A mail server inside this program, in the proxy's own loop, on a free port of the loopback.
/// Closes its sessions when destroyed.
class LocalServer {
 public:
  virtual ~LocalServer() = default;
  virtual const SocketAddress& address() const = 0;
  /// Messages accepted and discarded so far.
  virtual std::uint64_t messages() const = 0;
};

}  // namespace smtpscope
