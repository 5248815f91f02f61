#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "lab/replay/client_player.h"
#include "lab/replay/pace.h"
#include "lab/replay/recorded_dialogue.h"
#include "net/address.h"
#include "net/connection.h"
#include "net/dialer.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/timer.h"

namespace smtpscope {

/// What a replayed client does, and whom it tells.
struct ReplayClientPlan {
  std::vector<RecordedDialogue> dialogues;
  ReplayPace pace;
  Duration patience = std::chrono::seconds(60);  // for a silent server
  /// Told where a session could not go on as recorded: "session 2: ...".
  std::function<void(const std::string& what)> tell;
  /// The run is to end: no further session is begun, and one that this cuts off does not count.
  std::function<bool()> stopped;
};

class ReplayClientEvents {
 public:
  virtual ~ReplayClientEvents() = default;
  /// The client has ended; `failure` says why before its time, "" if all was played. It may be
  /// destroyed in the call.
  virtual void on_replay_over(std::string_view failure) = 0;
};

/// Plays the client's side of recorded dialogues to a server, one after the other.
class ReplayClient : private ConnectionEvents, private DialerEvents {
 public:
  /// `events` must outlive the client.
  ReplayClient(Loop& loop, const SocketAddress& server, ReplayClientPlan plan,
               ReplayClientEvents& events);
  ~ReplayClient() override;
  ReplayClient(const ReplayClient&) = delete;
  ReplayClient& operator=(const ReplayClient&) = delete;

  void start();
  /// Sessions that were played, to their end or as far as it went.
  std::size_t played() const { return next_; }

 private:
  void on_connected(ConnectionPtr connection, std::string_view server, Duration took,
                    std::uint32_t failed_attempts) override;
  void on_unreachable(std::string_view reason) override;
  void on_read(Connection& connection, Time when, std::span<const std::uint8_t> octets) override;
  void on_closed(Connection& connection, CloseKind kind, std::string_view reason) override;
  void on_drained(Connection& connection) override;
  void on_write_failed(Connection& connection) override;

  void dial();
  void on_timer();
  void act();
  void end_session();

  Loop& loop_;
  Endpoint endpoint_;
  Resolver resolver_;
  const ReplayClientPlan plan_;
  ReplayClientEvents& events_;
  std::unique_ptr<Dialer> dialer_;
  ConnectionPtr connection_;
  TimerPtr timer_;
  std::optional<ClientPlayer> player_;
  std::size_t next_ = 0;  // dialogue
  bool finished_ = false, drains_ = false, over_ = false, stopped_ = false;
};

}  // namespace smtpscope
