#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/time.h"
#include "lab/replay/pace.h"
#include "lab/replay/recorded_dialogue.h"
#include "parser/conversation.h"

namespace smtpscope {

/// What a client that says something which the recording does not have is answered.
enum class ExtraAnswer : std::uint8_t {
  kFail,  // nothing: the connection is closed
  k500,   // "500", and the session goes on
  k421,   // "421", and the connection is closed
};

/// Told how the client departs from the recording, a sentence each.
using DeviationSink = std::function<void(const std::string& what)>;

/// The server's side of a recorded dialogue, played to a live client. What the client says is
/// answered as the same was answered in the recording, the earliest of its kind first; failing
/// that, as the same command with another argument was. Sans-I/O. Not thread-safe.
class ServerPlayer {
 public:
  enum class End : std::uint8_t { kOpen, kFinish, kReset };

  /// `dialogue` must outlive the player.
  ServerPlayer(const RecordedDialogue& dialogue, ReplayPace pace, ExtraAnswer extra,
               DeviationSink tell);

  void begin(Time now);
  void receive(Time now, std::span<const std::uint8_t> octets);
  void client_closed(Time now);
  /// The alarm's time has come, or nearly so.
  void ring(Time now) { run(now); }

  /// What is to be sent, since it was last taken.
  std::string take() { return std::exchange(out_, {}); }
  /// What is to be done with the connection behind that.
  End end() const { return end_; }
  std::optional<Time> alarm() const { return alarm_; }
  /// Exchanges of the recording that the client has not asked for.
  std::vector<std::string> left_out() const;

 private:
  struct Turn {
    const std::vector<ServerAct>* acts = nullptr;
    std::size_t next = 0;
    Time asked;
    std::string own;  // said where there are no acts
    End end_behind = End::kOpen;
    std::uint64_t itemised = 0;  // of the client's stream, when it was asked
    bool awaits_chunk = false;
  };

  void drain(Time now);
  void on_item(Time now, const Item& item);
  void answer(Time now, const Saying& saying);
  void answer_extra(Time now, const Saying& saying);
  std::optional<std::size_t> find(std::unordered_map<std::string, std::deque<std::size_t>>& places,
                                  const std::string& key);
  void run(Time now);
  bool play(Time now, Turn& turn);
  void say(Time now, std::string_view octets);

  const RecordedDialogue& dialogue_;
  const ReplayPace pace_;
  const ExtraAnswer extra_;
  const DeviationSink tell_;
  Conversation conversation_;
  std::unordered_map<std::string, std::deque<std::size_t>> by_key_, by_verb_;
  std::vector<bool> used_;
  std::deque<Turn> turns_;
  std::string out_;
  Time last_act_;
  std::optional<Time> alarm_;
  End end_ = End::kOpen;
  bool client_closed_ = false;
  bool running_ = false;
};

}  // namespace smtpscope
