#pragma once

#include <map>
#include <memory>
#include <set>

#include "capture/wire_event.h"
#include "timeline/event.h"
#include "timeline/rule_set.h"
#include "timeline/run_history.h"

namespace smtpscope {

/// Derives the timelines of a recorded run, the same way as the live trace does: each session's
/// wire events through a Screen and a Tracker of its own. Not thread-safe.
class Replay : public WireSink {
 public:
  /// Only the sessions in `wanted`, all if it is empty. `record` takes the events as they may be
  /// written down, credentials masked; it may be nullptr. All must outlive this.
  Replay(std::set<SessionId> wanted, const RuleSet& rules, TimelineSink& sink,
         WireSink* record = nullptr);
  ~Replay() override;

  void on_wire(const WireEvent& event) override;

  /// Sessions asked for that have not come up.
  const std::set<SessionId>& missing() const { return missing_; }

 private:
  class Session;

  void feed(const WireEvent& event);

  const std::set<SessionId> wanted_;
  std::set<SessionId> missing_;
  const RuleSet& rules_;
  TimelineSink& sink_;
  WireSink* const record_;
  RunHistory history_;
  std::map<SessionId, std::unique_ptr<Session>> open_;
};

}  // namespace smtpscope
