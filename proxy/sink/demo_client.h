#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "net/address.h"
#include "net/connection.h"
#include "net/dialer.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/timer.h"
#include "parser/conversation.h"

namespace smtpscope {

class DemoEvents {
 public:
  virtual ~DemoEvents() = default;
  /// The client has closed its connection; `failure` says what went wrong, "" if nothing did. The
  /// client may be destroyed in the call.
  virtual void on_demo_over(std::string_view failure) = 0;
};

/// An SMTP client that plays the dialogue this tool was made for: it parks a transaction by RSET
/// after the recipient was accepted, resets once more a second later, is silent for `pause`, and
/// then sends the same mail after all, as a content scanner in front of a mail client does.
class DemoClient : private ConnectionEvents, private DialerEvents {
 public:
  /// `events` must outlive the client.
  DemoClient(Loop& loop, const SocketAddress& server, Duration pause, DemoEvents& events);
  ~DemoClient() override;
  DemoClient(const DemoClient&) = delete;
  DemoClient& operator=(const DemoClient&) = delete;

  void start();

 private:
  void on_connected(ConnectionPtr connection, std::string_view server, Duration took,
                    std::uint32_t failed_attempts) override;
  void on_unreachable(std::string_view reason) override;
  void on_read(Connection& connection, Time when, std::span<const std::uint8_t> octets) override;
  void on_closed(Connection& connection, CloseKind kind, std::string_view reason) override;
  void on_drained(Connection&) override {}
  void on_write_failed(Connection& connection) override;

  void on_reply(const Reply& reply);
  void take_step();
  void end(std::string_view failure);

  Loop& loop_;
  Endpoint endpoint_;
  Resolver resolver_;
  Duration pause_;
  DemoEvents& events_;
  std::unique_ptr<Dialer> dialer_;
  ConnectionPtr connection_;
  TimerPtr timer_;
  Conversation conversation_;  // reads the replies
  std::size_t step_ = 0;       // to be taken next
  std::string failure_;
};

}  // namespace smtpscope
