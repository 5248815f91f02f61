// Theory of operation. What the client says is parsed by a Conversation that is shown our own
// replies, too, since what its octets mean may depend on them. Each thing that is owed a reply
// takes a turn, in the order in which it was said; the acts of a turn wait for the delays of the
// recording, and a turn for the one before it, also when the client pipelines. What a recorded
// server left unanswered stays so.

#include "lab/replay/server_player.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "base/octets.h"

namespace smtpscope {
namespace {

/// How long a reply that came behind the recorded client's close waits for that of this one, which
/// may want the reply first.
constexpr Duration kForClose = std::chrono::seconds(1);

}  // namespace

ServerPlayer::ServerPlayer(const RecordedDialogue& dialogue, ReplayPace pace, ExtraAnswer extra,
                           DeviationSink tell)
    : dialogue_(dialogue),
      pace_(pace),
      extra_(extra),
      tell_(std::move(tell)),
      used_(dialogue.exchanges.size()) {
  for (std::size_t i = 1; i < dialogue.exchanges.size(); ++i) {
    const std::optional<Saying>& saying = dialogue.exchanges[i].saying;
    if (!saying) continue;
    by_key_[saying->key].push_back(i);
    by_verb_[saying->verb].push_back(i);
  }
}

void ServerPlayer::begin(Time now) {
  last_act_ = now;
  turns_.push_back({.acts = &dialogue_.exchanges.front().acts, .asked = now, .own = {}});
  run(now);
}

void ServerPlayer::receive(Time now, std::span<const std::uint8_t> octets) {
  if (end_ != End::kOpen) return;
  conversation_.receive(Side::kClient, octets);
  drain(now);
  run(now);
}

void ServerPlayer::client_closed(Time now) {
  client_closed_ = true;
  conversation_.eof(Side::kClient);
  drain(now);
  run(now);
}

void ServerPlayer::drain(Time now) {
  while (const Item* item = conversation_.next()) {
    if (item->side == Side::kClient && end_ == End::kOpen) on_item(now, *item);
  }
}

void ServerPlayer::on_item(Time now, const Item& item) {
  if (std::holds_alternative<Chunk>(item.body)) {
    const auto turn =
        std::ranges::find_if(turns_, [](const Turn& each) { return each.awaits_chunk; });
    if (turn == turns_.end()) return;
    turn->awaits_chunk = false;
    turn->asked = now;
    return;
  }
  std::optional<Saying> saying = saying_of(item);
  if (!saying) return;
  const auto* command = std::get_if<Command>(&item.body);
  answer(now, *saying);
  // RFC 3030 2: answered behind its octets.
  turns_.back().awaits_chunk = command != nullptr && command->verb == Verb::kBdat &&
                               conversation_.phase() == Conversation::Phase::kChunk;
}

std::optional<std::size_t> ServerPlayer::find(
    std::unordered_map<std::string, std::deque<std::size_t>>& places, const std::string& key) {
  const auto found = places.find(key);
  if (found == places.end()) return std::nullopt;
  std::deque<std::size_t>& left = found->second;
  while (!left.empty() && used_[left.front()]) left.pop_front();
  if (left.empty()) return std::nullopt;
  const std::size_t place = left.front();
  left.pop_front();
  used_[place] = true;
  return place;
}

void ServerPlayer::answer(Time now, const Saying& saying) {
  std::optional<std::size_t> place = find(by_key_, saying.key);
  if (!place) {
    place = find(by_verb_, saying.verb);
    if (!place) return answer_extra(now, saying);
    tell_(fmt::format("the client said {}, and the recorded one {}", saying.text,
                      dialogue_.exchanges[*place].saying->text));
  }
  turns_.push_back({.acts = &dialogue_.exchanges[*place].acts,
                    .asked = now,
                    .own = {},
                    .itemised = conversation_.itemised(Side::kClient)});
}

void ServerPlayer::answer_extra(Time now, const Saying& saying) {
  tell_(fmt::format("the client said {}, which the recorded one did not", saying.text));
  Turn turn{.asked = now, .own = {}};
  switch (extra_) {
    case ExtraAnswer::kFail:
      turn.end_behind = End::kFinish;
      break;
    case ExtraAnswer::k500:
      turn.own = "500 5.5.1 Not in the recording\r\n";
      break;
    case ExtraAnswer::k421:
      turn.own = "421 4.3.0 Not in the recording\r\n";
      turn.end_behind = End::kFinish;
      break;
  }
  turns_.push_back(std::move(turn));
}

/// As far as it goes without waiting.
void ServerPlayer::run(Time now) {
  if (std::exchange(running_, true)) return;  // what is said may bring turns: they are seen below
  alarm_.reset();
  while (end_ == End::kOpen && !turns_.empty() && play(now, turns_.front())) turns_.pop_front();
  if (end_ == End::kOpen && client_closed_ && turns_.empty()) end_ = End::kFinish;
  running_ = false;
}

/// False: something is to be waited for, or the session has ended.
bool ServerPlayer::play(Time now, Turn& turn) {
  if (turn.acts == nullptr) {
    if (turn.awaits_chunk) return false;
    if (!turn.own.empty()) say(now, turn.own);
    end_ = turn.end_behind;
    return end_ == End::kOpen;
  }
  for (; turn.next < turn.acts->size(); ++turn.next) {
    const ServerAct& act = (*turn.acts)[turn.next];
    if (turn.awaits_chunk && !act.early) return false;
    const std::uint64_t unfinished =
        conversation_.received(Side::kClient) - conversation_.itemised(Side::kClient);
    // What the client has finished in the meantime was more than that.
    if (unfinished < act.behind_unfinished && !client_closed_ &&
        conversation_.itemised(Side::kClient) <= turn.itemised) {
      return false;
    }
    const Time ready = std::max(turn.asked, last_act_);
    if (act.behind_close && !client_closed_ && now < ready + kForClose) {
      alarm_ = ready + kForClose;
      return false;
    }
    const Time due = ready + pace_.of(act.delay);
    if (due > now) {
      alarm_ = due;
      return false;
    }
    // Late by the clock, not by the recording.
    last_act_ = now;
    if (act.kind != ServerAct::Kind::kSay) {
      end_ = act.kind == ServerAct::Kind::kFinish ? End::kFinish : End::kReset;
      return false;
    }
    say(now, act.octets);
  }
  // The next turn is not asked before the octets are over, either.
  return !turn.awaits_chunk || client_closed_;
}

void ServerPlayer::say(Time now, std::string_view octets) {
  out_ += octets;
  conversation_.receive(Side::kServer, octets_of(octets));
  drain(now);
}

std::vector<std::string> ServerPlayer::left_out() const {
  std::vector<std::string> all;
  for (std::size_t i = 1; i < used_.size(); ++i) {
    if (!used_[i] && dialogue_.exchanges[i].saying) {
      all.push_back(dialogue_.exchanges[i].saying->text);
    }
  }
  return all;
}

}  // namespace smtpscope
