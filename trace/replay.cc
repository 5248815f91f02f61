#include "trace/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace smtpscope {

Replay::Replay(std::set<SessionId> wanted, const RuleSet& rules, TimelineSink& sink,
               WireSink* record)
    : wanted_(std::move(wanted)),
      missing_(wanted_),
      run_{SanitizerPolicy{}, rules, history_, sink, record} {}

void Replay::tell_headlines_of(const RunInfo& run) {
  run_.policy.headline_octets = headline_octets(run);
}

void Replay::on_wire(const WireEvent& event) {
  latest_ = std::max(latest_, event.time);
  if (event.session != kWholeRun) {
    if (wanted_.empty() || wanted_.contains(event.session)) feed(event);
    return;
  }
  const auto* gap = std::get_if<Gap>(&event.body);
  if (gap == nullptr) return;
  run_.timeline.on_timeline({kWholeRun, event.time, TimelineGap{*gap}});
  // What was lost may belong to any session that is open.
  std::vector<SessionId> concerned = untold_.take(*gap);
  std::sort(concerned.begin(), concerned.end());
  for (const SessionId id : concerned) feed(id, open_.at(id), {id, event.time, *gap});
}

void Replay::finish() {
  for (auto& [id, session] : open_) session.break_off(latest_);
  open_.clear();
}

void Replay::feed(const WireEvent& event) {
  auto at = open_.find(event.session);
  if (at == open_.end()) {
    missing_.erase(event.session);
    // Without its beginning (a hole in the capture) a session is read like one that was joined
    // later.
    const auto* opened = std::get_if<SessionOpened>(&event.body);
    const bool mid_session = opened == nullptr || opened->mid_session;
    at = open_.try_emplace(event.session, event.session, mid_session, run_).first;
  }
  untold_.heard(event.session);
  feed(event.session, at->second, event);
  if (!std::holds_alternative<SessionEnded>(event.body)) return;
  untold_.ended(event.session);
  open_.erase(at);
}

void Replay::feed(SessionId id, TracedSession& session, const WireEvent& event) {
  if (session.feed(event) && failures_.size() < kMostFailures) {
    failures_.push_back(fmt::format("session {}: {}", id, session.failure()));
  }
}

}  // namespace smtpscope
