#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/close_kind.h"
#include "base/time.h"
#include "lab/replay/pace.h"
#include "lab/replay/recorded_dialogue.h"
#include "parser/conversation.h"

namespace smtpscope {

/// The client's side of a recorded dialogue, played to a live server. It goes on when the server
/// owes no more replies than it owed when the recorded client went on, so what was pipelined is
/// pipelined again, and nothing else is. What would now mean something else is not said: a message
/// that the server has not asked for is left out, and where it asks for one that the recorded one
/// did not ask for, the session ends. Sans-I/O. Not thread-safe.
class ClientPlayer {
 public:
  enum class End : std::uint8_t {
    kOpen,
    kFinish,  // half-close; kGone follows once the server has closed, too
    kReset,
    kGone,  // close
  };

  /// `dialogue` must outlive the player. `patience`: how long the server may be silent while it is
  /// waited for. `tell` is told where the server did not let the client go on as recorded.
  ClientPlayer(const RecordedDialogue& dialogue, ReplayPace pace, Duration patience,
               std::function<void(const std::string& what)> tell);

  void begin(Time now);
  void receive(Time now, std::span<const std::uint8_t> octets);
  void server_closed(Time now, CloseKind kind);
  /// The alarm's time has come, or nearly so.
  void ring(Time now) { run(now); }

  std::string take() { return std::exchange(out_, {}); }
  End end() const { return end_; }
  std::optional<Time> alarm() const { return alarm_; }
  /// All was said that the recorded client had said.
  bool said_all() const { return said_all_; }

 private:
  enum class Fit : std::uint8_t { kSay, kLeaveOut, kStop };

  void run(Time now);
  bool may_go_on(Time now, const ClientStep& step);
  Fit fit(const ClientStep& step) const;
  void say(Time now, const ClientStep& step);
  void break_off();
  void stop(const std::string& why);
  void drain();

  const RecordedDialogue& dialogue_;
  const ReplayPace pace_;
  const Duration patience_;
  const std::function<void(const std::string& what)> tell_;
  Conversation conversation_;
  std::size_t next_ = 0;  // step
  std::string out_;
  Time last_;  // something was said or heard
  std::optional<Time> alarm_;
  End end_ = End::kOpen;
  bool server_closed_ = false;
  bool leaving_out_ = false;  // the item that the next steps belong to
  bool said_all_ = false;
};

}  // namespace smtpscope
