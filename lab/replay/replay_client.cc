#include "lab/replay/replay_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/octets.h"

namespace smtpscope {

ReplayClient::ReplayClient(Loop& loop, const SocketAddress& server, ReplayClientPlan plan,
                           ReplayClientEvents& events)
    : loop_(loop),
      resolver_(loop, std::vector{server}),
      plan_(std::move(plan)),
      events_(events),
      timer_(Timer::calling<&ReplayClient::on_timer>(loop, this)) {
  endpoint_.host = "localhost";
  endpoint_.port = server.port();
}

ReplayClient::~ReplayClient() = default;

void ReplayClient::start() { timer_->start_once(Duration::zero()); }

void ReplayClient::dial() {
  if (stopped_ || next_ == plan_.dialogues.size()) {
    over_ = true;
    return events_.on_replay_over("");
  }
  DialerEvents& events = *this;
  dialer_ = std::make_unique<Dialer>(loop_, &resolver_, endpoint_, std::chrono::seconds(10),
                                     nullptr, events);
  dialer_->start();
}

void ReplayClient::on_connected(ConnectionPtr connection, std::string_view, Duration,
                                std::uint32_t) {
  dialer_.reset();
  connection_ = std::move(connection);
  connection_->set_events(this);
  connection_->set_no_delay();
  finished_ = drains_ = false;
  const RecordedDialogue& dialogue = plan_.dialogues[next_];
  player_.emplace(dialogue, plan_.pace, plan_.patience,
                  [this, session = dialogue.session](const std::string& what) {
                    if (plan_.tell) plan_.tell(fmt::format("session {}: {}", session, what));
                  });
  connection_->start_reading();
  player_->begin(loop_.now());
  act();
}

void ReplayClient::on_unreachable(std::string_view reason) {
  over_ = true;
  events_.on_replay_over(reason);
}

void ReplayClient::on_timer() {
  if (over_) return;
  if (!player_) return dial();
  player_->ring(loop_.now());
  act();
}

void ReplayClient::act() {
  const std::string octets = player_->take();
  if (!octets.empty()) {
    const Connection::Sent sent = connection_->send(octets_of(octets));
    if (sent.failed) return end_session();
    drains_ = drains_ || sent.waiting > 0;
  }
  switch (player_->end()) {
    case ClientPlayer::End::kOpen:
      break;
    case ClientPlayer::End::kFinish:
      if (!drains_ && !std::exchange(finished_, true)) connection_->finish();
      break;
    case ClientPlayer::End::kReset:
      if (drains_) break;
      connection_->reset_on_release();
      return end_session();
    case ClientPlayer::End::kGone:
      return end_session();
  }
  if (const auto alarm = player_->alarm()) {
    timer_->start_once(std::max(*alarm - loop_.now(), Duration::zero()));
  } else {
    timer_->stop();
  }
}

/// The next one begins in a turn of its own: the connection is being told of.
void ReplayClient::end_session() {
  const bool stopped = plan_.stopped && plan_.stopped();
  if (!stopped || player_->said_all()) ++next_;
  stopped_ = stopped;
  connection_.reset();
  player_.reset();
  timer_->start_once(Duration::zero());
}

void ReplayClient::on_read(Connection&, Time when, std::span<const std::uint8_t> octets) {
  player_->receive(when, octets);
  act();
}

void ReplayClient::on_closed(Connection&, CloseKind kind, std::string_view) {
  player_->server_closed(loop_.now(), kind);
  act();
}

void ReplayClient::on_drained(Connection&) {
  drains_ = false;
  act();
}

void ReplayClient::on_write_failed(Connection&) {
  player_->server_closed(loop_.now(), CloseKind::kReset);
  act();
}

}  // namespace smtpscope
