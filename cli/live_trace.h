#pragma once

#include <memory>

#include "capture/capture_writer.h"
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
class LiveTrace : public Tap, private TimelineSink {
 public:
  /// Each pointer may be nullptr; what they and `rules` point to must outlive the trace. `timeline`
  /// writes to `output`, which is only handed on from here.
  LiveTrace(ScreenPolicy policy, const RuleSet& rules, CaptureWriter* capture,
            TimelineSink* timeline, BackgroundOutput* output);

  std::unique_ptr<SessionTap> open(SessionId session) override;
  void flush() override;

  const RunSummary& summary() const { return summary_; }

 private:
  class Session;

  void on_timeline(const TimelineEvent& event) override;

  ScreenPolicy policy_;
  const RuleSet& rules_;
  RunHistory history_;
  CaptureWriter* capture_;
  TimelineSink* timeline_;
  BackgroundOutput* output_;
  RunSummary summary_;
};

}  // namespace smtpscope
