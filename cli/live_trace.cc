#include "cli/live_trace.h"

#include "timeline/tracker.h"

namespace smtpscope {

/// One session on its way from octets to capture and timeline.
class LiveTrace::Session : public SessionTap {
 public:
  Session(SessionId id, LiveTrace& trace)
      : tracker_(id, trace.rules_, trace.history_, trace),
        screen_(trace.policy_, trace.capture_, &tracker_) {}

  void feed(const WireEvent& event) override { screen_.feed(event); }
  bool fate_open() const override { return screen_.conversation().fate_open(); }

 private:
  Tracker tracker_;
  Screen screen_;
};

LiveTrace::LiveTrace(ScreenPolicy policy, const RuleSet& rules, CaptureWriter* capture,
                     TimelineSink* timeline, BackgroundOutput* output)
    : policy_(policy), rules_(rules), capture_(capture), timeline_(timeline), output_(output) {}

std::unique_ptr<SessionTap> LiveTrace::open(SessionId session) {
  return std::make_unique<Session>(session, *this);
}

void LiveTrace::flush() {
  if (capture_ != nullptr && capture_->pending()) capture_->flush();
  if (output_ != nullptr) output_->flush();
}

void LiveTrace::on_timeline(const TimelineEvent& event) {
  summary_.on_timeline(event);
  if (timeline_ != nullptr) timeline_->on_timeline(event);
}

}  // namespace smtpscope
