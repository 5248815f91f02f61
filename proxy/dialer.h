#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"
#include "proxy/address.h"
#include "proxy/connection.h"
#include "proxy/loop.h"
#include "proxy/resolver.h"
#include "proxy/timer.h"

namespace smtpscope {

/// What came of dialling; either is the last call, and the dialer may be destroyed in it.
class DialerEvents {
 public:
  virtual ~DialerEvents() = default;
  virtual void on_connected(ConnectionPtr connection, std::string_view server, Duration took,
                            std::uint32_t failed_attempts) = 0;
  virtual void on_unreachable(std::string_view reason) = 0;
};

/// Makes a connection to an endpoint: looks its name up, tries its addresses one after the other
/// in the resolver's order (RFC 6724), each for at most `timeout`. Destroying it gives up.
class Dialer : private ResolverEvents {
 public:
  /// All references must outlive the dialer; `resolver` is for the endpoint's host and not used
  /// for Unix sockets.
  Dialer(Loop& loop, Resolver* resolver, const Endpoint& endpoint, Duration timeout,
         DialerEvents& events);
  ~Dialer() override;
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

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
  DialerEvents& events_;
  Time begun_;
  Addresses addresses_;
  std::size_t next_ = 0;  // address to try
  std::uint32_t failed_ = 0;
  std::string failures_;  // of each address, in words
  ConnectionPtr attempt_;
  Request* request_ = nullptr;  // of the attempt; frees itself
  TimerPtr timer_;
};

}  // namespace smtpscope
