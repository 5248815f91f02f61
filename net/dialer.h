#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "net/address.h"
#include "net/connection.h"
#include "net/loop.h"
#include "net/own_listeners.h"
#include "net/resolver.h"
#include "net/timer.h"

namespace smtpscope {

/// What came of dialling; either is the last call, and the dialer may be destroyed in it.
class DialerEvents {
 public:
  virtual ~DialerEvents() = default;
  /// The server has accepted. It may have broken off since: reading tells.
  virtual void on_connected(ConnectionPtr connection, std::string_view server, Duration took,
                            std::uint32_t failed_attempts) = 0;
  virtual void on_unreachable(std::string_view reason) = 0;
};

/// Makes a connection to an endpoint: looks its name up, tries its addresses one after the other
/// in the resolver's order (RFC 6724), each for at most `timeout`. Destroying it gives up.
class Dialer : private ResolverEvents {
 public:
  /// All references must outlive the dialer; `resolver` is for the endpoint's host and not used
  /// for Unix sockets. Addresses that lead to one of `own` are not tried; it may be nullptr.
  Dialer(Loop& loop, Resolver* resolver, const Endpoint& endpoint, Duration timeout,
         const OwnListeners* own, DialerEvents& events);
  ~Dialer() override;
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  /// The server sees this address, which is another host's (IP_TRANSPARENT); the port is the
  /// kernel's choice. Before start(). It must be of the server's family.
  void speak_from(const SocketAddress& client) { speaks_from_ = client; }
  /// May call back before it returns.
  void start();

 private:
  struct Request;

  void on_resolved(const Addresses& addresses) override;
  void on_not_resolved(std::string_view reason) override;
  void try_next();
  void on_attempt_ended(int status);
  void on_timeout();
  void note_failure(std::string_view reason);
  static void on_uv_connected(uv_connect_t* request, int status);

  Loop& loop_;
  Resolver* resolver_;
  const Endpoint& endpoint_;
  Duration timeout_;
  const OwnListeners* own_;
  DialerEvents& events_;
  Time begun_;
  Addresses addresses_;
  std::size_t next_ = 0;  // address to try
  std::uint32_t failed_ = 0;
  std::string failures_;  // of each address, in words
  ConnectionPtr attempt_;
  Request* request_ = nullptr;  // of the attempt; frees itself
  TimerPtr timer_;
  std::optional<SocketAddress> speaks_from_;
};

}  // namespace smtpscope
