#include "lab/replay/replay_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/counted.h"
#include "base/octets.h"
#include "net/connection.h"
#include "net/timer.h"

namespace smtpscope {

/// One connection, and the dialogue that is played on it. All events may destroy it.
class ReplayServer::Client : private ConnectionEvents {
 public:
  Client(ReplayServer& server, ConnectionPtr connection, const RecordedDialogue* dialogue)
      : server_(server),
        connection_(std::move(connection)),
        timer_(Timer::calling<&Client::on_timer>(server.loop_, this)) {
    connection_->set_events(this);
    if (dialogue == nullptr) return;
    name_ = fmt::format("session {}", dialogue->session);
    player_.emplace(*dialogue, server.plan_->pace, server.plan_->extra,
                    [this](const std::string& what) { tell(what); });
  }

  void start() {
    connection_->start_reading();
    if (player_) {
      player_->begin(server_.loop_.now());
      return act();
    }
    name_ = "one session more";
    tell("the recording has no further session");
    static constexpr std::string_view kRefusal =
        "421 4.3.0 No further session in the recording\r\n";
    if (server_.plan_->extra != ExtraAnswer::kFail) connection_->send(octets_of(kRefusal));
    server_.drop(*this);
  }

 private:
  void tell(const std::string& what) {
    ++server_.plan_->deviations;
    if (server_.plan_->tell) server_.plan_->tell(fmt::format("{}: {}", name_, what));
  }

  /// Does what the player wants done.
  void act() {
    const std::string octets = player_->take();
    bool waits = drains_;
    if (!octets.empty()) {
      const Connection::Sent sent = connection_->send(octets_of(octets));
      if (sent.failed) return leave();
      waits = waits || sent.waiting > 0;
    }
    if (waits) {
      drains_ = true;
      return connection_->stop_reading();  // who does not read is not listened to either
    }
    switch (player_->end()) {
      case ServerPlayer::End::kOpen:
        break;
      case ServerPlayer::End::kFinish:
        return finish();
      case ServerPlayer::End::kReset:
        connection_->reset_on_release();
        return leave();
    }
    if (const auto alarm = player_->alarm()) {
      timer_->start_once(std::max(*alarm - server_.loop_.now(), Duration::zero()));
    } else {
      timer_->stop();
    }
  }

  /// Closes in order: what the client has still to say is read and dropped, for closing on it would
  /// be a reset that may overtake what was said last (RFC 1122 4.2.2.13).
  void finish() {
    if (client_closed_) return leave();
    if (finished_) return;
    finished_ = true;
    timer_->stop();
    connection_->finish();
  }

  void leave() {
    if (player_ && !told_rest_) {
      told_rest_ = true;
      const std::vector<std::string> rest = player_->left_out();
      if (!rest.empty()) {
        tell(fmt::format("the client did not say {}{}", rest.front(),
                         rest.size() > 1 ? fmt::format(" and {} more", rest.size() - 1) : ""));
      }
    }
    server_.drop(*this);
  }

  void on_timer() {
    player_->ring(server_.loop_.now());
    act();
  }
  void on_read(Connection&, Time when, std::span<const std::uint8_t> octets) override {
    if (finished_) return;
    player_->receive(when, octets);
    act();
  }
  void on_closed(Connection&, CloseKind kind, std::string_view) override {
    client_closed_ = true;
    if (finished_ || kind != CloseKind::kFin) return leave();
    player_->client_closed(server_.loop_.now());
    act();
  }
  void on_drained(Connection&) override {
    drains_ = false;
    connection_->start_reading();
    act();
  }
  void on_write_failed(Connection&) override { leave(); }

 public:
  std::size_t slot = 0;  // in clients_

 private:
  ReplayServer& server_;
  ConnectionPtr connection_;
  TimerPtr timer_;
  std::string name_;
  std::optional<ServerPlayer> player_;
  bool drains_ = false, finished_ = false, client_closed_ = false, told_rest_ = false;
};

ReplayServer::ReplayServer(Loop& loop, std::shared_ptr<ReplayPlan> plan)
    : loop_(loop), plan_(std::move(plan)) {}

ReplayServer::~ReplayServer() = default;

Result<std::unique_ptr<LocalServer>> ReplayServer::make(Loop& loop,
                                                        std::shared_ptr<ReplayPlan> plan) {
  std::unique_ptr<ReplayServer> server(new ReplayServer(loop, std::move(plan)));
  auto listener = Listener::make(loop, *SocketAddress::from_numeric("127.0.0.1", 0), *server);
  if (!listener) return listener.error();
  server->listener_ = std::move(listener.value());
  return std::unique_ptr<LocalServer>(std::move(server));
}

void ReplayServer::on_client_waiting(Listener& listener) {
  const std::vector<RecordedDialogue>& dialogues = plan_->dialogues;
  const RecordedDialogue* dialogue = nullptr;
  if (plan_->begun < dialogues.size()) {
    dialogue = &dialogues[plan_->begun];
  } else if (plan_->last_goes_on) {
    dialogue = &dialogues.back();
  }
  ++plan_->begun;
  clients_.push_back(std::make_unique<Client>(*this, listener.accept().connection, dialogue));
  Client& client = *clients_.back();
  client.slot = clients_.size() - 1;
  client.start();
}

void ReplayServer::drop(Client& client) {
  const std::size_t slot = client.slot;
  std::swap(clients_[slot], clients_.back());
  clients_[slot]->slot = slot;
  clients_.pop_back();
}

}  // namespace smtpscope
