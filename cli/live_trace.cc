#include "cli/live_trace.h"

#include <span>
#include <utility>

#include "timeline/tracker.h"

namespace smtpscope {

/// One session on its way from octets to capture and timeline.
class LiveTrace::Session {
 public:
  Session(SessionId id, LiveTrace& trace)
      : tracker_(id, trace.rules_, trace.history_, trace),
        screen_(trace.policy_, trace.capture_, &tracker_) {}

  void feed(const WireEvent& event) { screen_.feed(event); }
  bool fate_open() const { return screen_.conversation().fate_open(); }

 private:
  Tracker tracker_;
  Screen screen_;
};

/// What the relay holds of a session. It may be gone before the session's last events are read.
class LiveTrace::Entrance : public SessionTap {
 public:
  Entrance(SessionId id, LiveTrace& trace)
      : trace_(trace), session_(std::make_unique<Session>(id, trace)) {}
  ~Entrance() override { trace_.let_go(std::move(session_)); }

  void feed(const WireEvent& event) override { trace_.take(*session_, event); }
  bool fate_open() const override {
    trace_.read_waiting();
    return session_->fate_open();
  }

 private:
  LiveTrace& trace_;
  std::unique_ptr<Session> session_;
};

LiveTrace::LiveTrace(ScreenPolicy policy, const RuleSet& rules, CaptureWriter* capture,
                     TimelineSink* timeline, BackgroundOutput* output)
    : policy_(policy), rules_(rules), capture_(capture), timeline_(timeline), output_(output) {}

LiveTrace::~LiveTrace() = default;

std::unique_ptr<SessionTap> LiveTrace::open(SessionId session) {
  return std::make_unique<Entrance>(session, *this);
}

void LiveTrace::take(Session& session, const WireEvent& event) {
  if (EventBatch::octets_needed(event) > kMostCopied) {
    read_waiting();
    session.feed(event);
    return;
  }
  if (!waiting_.add(event)) {
    read_waiting();
    waiting_.add(event);
  }
  readers_.push_back(&session);
}

void LiveTrace::let_go(std::unique_ptr<Session> session) {
  if (!waiting_.empty()) over_.push_back(std::move(session));
}

void LiveTrace::read_waiting() {
  const std::span<const WireEvent> events = waiting_.events();
  for (std::size_t i = 0; i < events.size(); ++i) readers_[i]->feed(events[i]);
  waiting_.clear();
  readers_.clear();
  over_.clear();
}

void LiveTrace::flush() {
  read_waiting();
  if (capture_ != nullptr && capture_->pending()) capture_->flush();
  if (output_ != nullptr) output_->flush();
}

void LiveTrace::on_timeline(const TimelineEvent& event) {
  summary_.on_timeline(event);
  if (timeline_ != nullptr) timeline_->on_timeline(event);
}

}  // namespace smtpscope
