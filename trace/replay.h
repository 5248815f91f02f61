#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "capture/untold_sessions.h"
#include "capture/wire_event.h"
#include "timeline/event.h"
#include "timeline/rule_set.h"
#include "timeline/state/run_history.h"
#include "trace/traced_session.h"

namespace smtpscope {

/// Derives the timelines of a recorded run, the same way as the live trace does: each session's
/// wire events through a Sanitizer and a Tracker of its own. Not thread-safe.
class Replay : public WireSink {
 public:
  /// Only the sessions in `wanted`, all if it is empty. `record` takes the events as they may be
  /// written down, credentials masked; it may be nullptr. All must outlive this.
  Replay(std::set<SessionId> wanted, const RuleSet& rules, TimelineSink& sink,
         WireSink* record = nullptr);
  /// What there is to know of the messages is told too: their Subjects and Message-IDs, where they
  /// were kept and are no pseudonyms. Before the first event.
  void tell_headlines_of(const RunInfo& run);
  void on_wire(const WireEvent& event) override;
  /// After the last event: sessions that are still open are told as far as they are known.
  void finish();

  /// Sessions asked for that have not come up.
  const std::set<SessionId>& missing() const { return missing_; }
  /// The first sessions whose tracing failed, and why: their timelines end with a hole that says
  /// the same. "session 3: the tracer failed: out of range".
  const std::vector<std::string>& failures() const { return failures_; }
  /// Sessions whose tracing failed, all of them.
  std::uint64_t failed() const { return run_.failed; }

 private:
  static constexpr std::size_t kMostFailures = 10;

  void feed(const WireEvent& event);
  void feed(SessionId id, TracedSession& session, const WireEvent& event);

  const std::set<SessionId> wanted_;
  std::set<SessionId> missing_;
  RunHistory history_;
  TracedRun run_;
  std::map<SessionId, TracedSession> open_;
  UntoldSessions untold_;
  Time latest_;  // of all events
  std::vector<std::string> failures_;
};

}  // namespace smtpscope
