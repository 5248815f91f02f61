#pragma once

#include <memory>
#include <optional>
#include <string>

#include "capture/sanitizer.h"
#include "capture/wire_event.h"
#include "timeline/event.h"
#include "timeline/rule_set.h"
#include "timeline/state/run_history.h"
#include "timeline/state/silence_watch.h"
#include "trace/losses.h"

namespace smtpscope {

/// What the sessions of a run have in common on their way to timelines.
struct TracedRun {
  SanitizerPolicy policy;
  const RuleSet& rules;
  RunHistory& history;
  TimelineSink& timeline;
  WireSink* record;  // may be nullptr

  /// Sessions whose tracing has failed.
  std::uint64_t failed = 0;
};

/// One session on its way from octets to its timeline, live and from file alike, and a barrier:
/// whatever a rule, the tracker or a sink throws ends the tracing of this session. Its record and
/// its timeline get a hole that says so, and what comes for it afterwards is counted only. What the
/// Sanitizer holds back then is lost as well: nobody knows any more what is secret in it.
/// Not thread-safe.
class TracedSession {
 public:
  /// `run` must outlive it.
  TracedSession(SessionId session, bool mid_session, TracedRun& run);
  ~TracedSession();
  TracedSession(const TracedSession&) = delete;
  TracedSession& operator=(const TracedSession&) = delete;

  /// The next event of the session. True: it was this one at which the tracing failed.
  bool feed(const WireEvent& event) noexcept;

  /// The trace ends at `now`, and the session has not.
  void break_off(Time now) noexcept;

  /// Who has kept whom waiting since the last event; nothing when the tracing has failed.
  std::optional<SilenceWatch::Wait> waiting(Time now) const;
  /// A message was sent whole, and its final reply has not come. False when the tracing has failed.
  bool fate_open() const;
  /// Between its transactions, with no reply owed and no line begun: whoever reads on from here
  /// without what came before misses nothing that he needs.
  bool at_rest() const;
  /// Why the tracing failed, such as "the tracer failed: out of range"; "" if it has not.
  const std::string& failure() const { return failure_; }

 private:
  struct Parts;

  void fail(const WireEvent& event, std::string_view what) noexcept;
  void count_lost(const WireEvent& event);
  void tell_lost();
  void show_hole(const WireEvent& event);

  const SessionId id_;
  const bool mid_session_;
  TracedRun& run_;
  std::unique_ptr<Parts> parts_;  // from the first event on; nullptr when the tracing has failed
  Losses lost_;                   // since then, not yet in the record
  std::string failure_;
};

}  // namespace smtpscope
