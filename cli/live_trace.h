#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "capture/capture_writer.h"
#include "capture/event_batch.h"
#include "capture/screen.h"
#include "cli/background_output.h"
#include "proxy/tap.h"
#include "timeline/event.h"
#include "timeline/rule_set.h"
#include "timeline/run_history.h"
#include "timeline/run_summary.h"

namespace smtpscope {

/// The tap of a live run: parses each session once, and gives the screened events to a capture and
/// the timeline to an exporter. Counts what the timelines say. Runs on the loop's thread and never
/// blocks: both ends write in the background.
///
/// Events wait until some have gathered, or for flush(). Relaying and tracing are each quick while
/// the processor has their code at hand, and slow when they take turns at every read.
class LiveTrace : public Tap, private TimelineSink {
 public:
  /// Each pointer may be nullptr; what they and `rules` point to must outlive the trace. `timeline`
  /// writes to `output`, which is only handed on from here.
  LiveTrace(ScreenPolicy policy, const RuleSet& rules, CaptureWriter* capture,
            TimelineSink* timeline, BackgroundOutput* output);

  ~LiveTrace() override;

  std::unique_ptr<SessionTap> open(SessionId session) override;
  void flush() override;

  const RunSummary& summary() const { return summary_; }

 private:
  class Session;
  class Entrance;

  /// A longer read (octets) is read at once: copying it would cost more than it spares.
  static constexpr std::size_t kMostCopied = 8192;
  static_assert(kMostCopied <= EventBatch::kMostOctets, "an empty batch takes it");

  void take(Session& session, const WireEvent& event);
  /// Keeps a session that is over until its last events are read.
  void let_go(std::unique_ptr<Session> session);
  void read_waiting();
  void on_timeline(const TimelineEvent& event) override;
  bool reads_verdict() const override { return timeline_ != nullptr; }

  ScreenPolicy policy_;
  const RuleSet& rules_;
  RunHistory history_;
  CaptureWriter* capture_;
  TimelineSink* timeline_;
  BackgroundOutput* output_;
  RunSummary summary_;
  EventBatch waiting_;                          // of all sessions, in order of time
  std::vector<Session*> readers_;               // of each of them
  std::vector<std::unique_ptr<Session>> over_;  // that events may be waiting for
};

}  // namespace smtpscope
