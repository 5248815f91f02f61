#include "proxy/sink/demo_client.h"

#include <fmt/format.h>

#include <array>
#include <utility>
#include <variant>
#include <vector>

#include "base/octets.h"

namespace smtpscope {
namespace {

enum class Wait : std::uint8_t { kNone, kSecond, kPause };

/// What is said next once the step before was answered with `expected`.
struct Step {
  int expected;  // first digit of the reply to what was said before
  Wait wait;
  std::string_view octets;
};

constexpr std::array kSteps = {
    Step{2, Wait::kNone, "EHLO ws1.example.com\r\n"},
    Step{2, Wait::kNone, "MAIL FROM:<alice@example.com>\r\n"},
    Step{2, Wait::kNone, "RCPT TO:<bob@example.net>\r\n"},
    Step{2, Wait::kNone, "RSET\r\n"},
    Step{2, Wait::kSecond, "RSET\r\n"},
    Step{2, Wait::kPause, "MAIL FROM:<alice@example.com>\r\n"},
    Step{2, Wait::kNone, "RCPT TO:<bob@example.net>\r\n"},
    Step{2, Wait::kNone, "DATA\r\n"},
    Step{3, Wait::kNone,
         "From: alice@example.com\r\n"
         "To: bob@example.net\r\n"
         "Subject: Lunch\r\n"
         "\r\n"
         "At noon, as always?\r\n"
         "..\r\n"
         "Alice\r\n"
         ".\r\n"},
    Step{2, Wait::kNone, "QUIT\r\n"},
};

}  // namespace

DemoClient::DemoClient(Loop& loop, const SocketAddress& server, Duration pause, DemoEvents& events)
    : loop_(loop), resolver_(loop, std::vector{server}), pause_(pause), events_(events) {
  endpoint_.host = "localhost";
  endpoint_.port = server.port();
  timer_ = Timer::calling<&DemoClient::take_step>(loop, this);
}

DemoClient::~DemoClient() = default;

void DemoClient::start() {
  DialerEvents& events = *this;
  dialer_ = std::make_unique<Dialer>(loop_, &resolver_, endpoint_, std::chrono::seconds(10),
                                     nullptr, events);
  dialer_->start();
}

void DemoClient::on_connected(ConnectionPtr connection, std::string_view, Duration, std::uint32_t) {
  dialer_.reset();
  connection_ = std::move(connection);
  connection_->set_events(this);
  connection_->start_reading();
}

void DemoClient::on_unreachable(std::string_view reason) { end(std::string(reason)); }

void DemoClient::on_read(Connection&, Time, std::span<const std::uint8_t> octets) {
  conversation_.receive(Side::kServer, octets);
  while (const Item* item = conversation_.next()) {
    if (const auto* reply = std::get_if<Reply>(&item->body)) on_reply(*reply);
  }
  if (!failure_.empty()) end(std::exchange(failure_, {}));
}

void DemoClient::on_reply(const Reply& reply) {
  if (step_ == kSteps.size()) return;  // that to QUIT; the server's close follows
  const Step& step = kSteps[step_];
  if (reply.first_digit() != step.expected) {
    failure_ =
        fmt::format("the server answered {} where {}yz was expected", reply.code, step.expected);
    return;
  }
  const Duration wait = step.wait == Wait::kNone     ? Duration::zero()
                        : step.wait == Wait::kSecond ? std::chrono::seconds(1)
                                                     : pause_;
  // Through the timer also when it is at once: the conversation is being read from.
  timer_->start_once(wait);
}

void DemoClient::take_step() {
  const std::string_view octets = kSteps[step_++].octets;
  connection_->send(octets_of(octets));
  conversation_.receive(Side::kClient, octets_of(octets));
  while (conversation_.next() != nullptr) {
  }
}

void DemoClient::on_closed(Connection&, CloseKind kind, std::string_view) {
  end(step_ == kSteps.size() && kind == CloseKind::kFin ? "" : "the connection broke");
}

void DemoClient::on_write_failed(Connection&) { end("the connection broke"); }

void DemoClient::end(std::string_view failure) {
  timer_.reset();
  connection_.reset();
  events_.on_demo_over(failure);
}

}  // namespace smtpscope
