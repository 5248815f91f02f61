#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "capture/capture_writer.h"
#include "capture/screen.h"
#include "cli/background_output.h"
#include "proxy/tap.h"
#include "timeline/event.h"
#include "timeline/rule_set.h"
#include "timeline/run_history.h"

namespace smtpscope {

/// The tap of a live run: parses each session once, and gives the screened events to a capture and
/// the timeline to an exporter. Counts what the timelines say. Runs on the loop's thread and never
/// blocks: both ends write in the background.
class LiveTrace : public Tap, private TimelineSink {
 public:
  struct Counts {
    std::array<std::uint64_t, 4> sessions{};  // that have ended, by their worst Severity
    std::array<std::uint64_t, 6> outcomes{};  // of their transactions, by Outcome
  };

  /// Each pointer may be nullptr; what they and `rules` point to must outlive the trace. `timeline`
  /// writes to `output`, which is only handed on from here.
  LiveTrace(ScreenPolicy policy, const RuleSet& rules, CaptureWriter* capture,
            TimelineSink* timeline, BackgroundOutput* output);

  std::unique_ptr<SessionTap> open(SessionId session) override;
  void flush() override;

  const Counts& counts() const { return counts_; }

 private:
  class Session;

  void on_timeline(const TimelineEvent& event) override;

  ScreenPolicy policy_;
  const RuleSet& rules_;
  RunHistory history_;
  CaptureWriter* capture_;
  TimelineSink* timeline_;
  BackgroundOutput* output_;
  Counts counts_;
};

}  // namespace smtpscope
