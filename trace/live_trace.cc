#include "trace/live_trace.h"

#include <fmt/format.h>

#include <new>
#include <utility>

#include "base/worker_thread.h"
#include "trace/lane.h"

namespace smtpscope {
namespace {

constexpr std::string_view kStopped = "smtpscope was stopped before it was traced";

}  // namespace

/// What the relay holds of a session.
class LiveTrace::Entrance : public SessionObserver {
 public:
  Entrance(LiveTrace& trace, std::unique_ptr<Lane> lane) : trace_(trace), lane_(*lane.release()) {}
  ~Entrance() override { trace_.leave(lane_, asked_); }

  void feed(const WireEvent& event) override { trace_.take(lane_, event); }
  void ask_fate(FateListener& asker) override {
    asked_ = true;
    trace_.ask(lane_, asker);
  }

 private:
  LiveTrace& trace_;
  Lane& lane_;  // the tracer's to delete
  bool asked_ = false;
};

LiveTrace::LiveTrace(SanitizerPolicy policy, const RuleSet& rules, CaptureSink* capture,
                     TimelineSink* timeline, BackgroundOutput* output, TraceNotices& notices,
                     std::size_t queue_limit, std::vector<Duration> alarm, WireSink* also,
                     std::vector<LiveWatcher*> watchers)
    : capture_(capture),
      timeline_(timeline),
      output_(output),
      notices_(notices),
      run_{policy, rules, history_, *this, records(capture, also)},
      queue_(queue_limit),
      alarm_(std::move(alarm)),
      watchers_(std::move(watchers)),
      thread_(start_worker([this] { run(); })) {}

WireSink* LiveTrace::records(WireSink* capture, WireSink* also) {
  if (capture == nullptr || also == nullptr) return capture != nullptr ? capture : also;
  records_.first = capture;
  records_.second = also;
  return &records_;
}

LiveTrace::~LiveTrace() { finish(); }

std::unique_ptr<SessionObserver> LiveTrace::open(SessionId session) {
  try {
    return std::make_unique<Entrance>(*this, std::make_unique<Lane>(session));
  } catch (const std::bad_alloc&) {
    ++untraced_;
    return nullptr;
  }
}

void LiveTrace::take(Lane& lane, const WireEvent& event) noexcept {
  if (first_behind_ != nullptr) catch_up();
  // What was lost is told before what comes next. Of reads there may be no more until there is room
  // for all; the other events are worth the reserve.
  const bool in_order = !lane.behind || (!std::holds_alternative<Bytes>(event.body) && tell(lane));
  if (!in_order || !queue_.add(lane, event)) lose(lane, event);
}

void LiveTrace::ask(Lane& lane, FateListener& asker) noexcept {
  try {
    asked_.emplace(lane.id, &asker);
  } catch (...) {  // no memory: the relay listens on to the server for as long as it has patience
    return;
  }
  if (lane.behind || !queue_.add_question(lane)) {
    lane.question_due = true;
    put_behind(lane);
  }
  queue_.hand_over(false);
}

void LiveTrace::leave(Lane& lane, bool asked) noexcept {
  if (asked) asked_.erase(lane.id);
  if (lane.behind || !queue_.add_farewell(lane)) {
    lane.farewell_due = true;
    put_behind(lane);
  }
}

void LiveTrace::lose(Lane& lane, const WireEvent& event) noexcept {
  lane.lost.add(event);
  ++lost_events_;
  if (const auto* bytes = std::get_if<Bytes>(&event.body)) lost_octets_ += bytes->octets();
  if (std::holds_alternative<SessionOpened>(event.body)) {
    try {
      lane.opened = std::make_unique<EventCopy>(event);
    } catch (...) {  // it is told as a session that the trace joined later
    }
  }
  put_behind(lane);
  if (std::exchange(said_full_, true)) return;
  try {
    notices_.notice(fmt::format(
        "{}: what is relayed now is missing from the record, which counts it; mail is not delayed",
        queue_.why_full()));
  } catch (...) {  // no memory; it is told at the end
  }
}

void LiveTrace::put_behind(Lane& lane) noexcept {
  if (std::exchange(lane.behind, true)) return;
  (last_behind_ != nullptr ? last_behind_->next_behind : first_behind_) = &lane;
  last_behind_ = &lane;
  queue_.want_room();
}

/// Tells what found no room before. False: not all of it found room now.
bool LiveTrace::catch_up() noexcept {
  if (!queue_.has_room()) return false;
  while (first_behind_ != nullptr) {
    Lane& lane = *first_behind_;
    if (!tell(lane)) {
      queue_.want_room();
      return false;
    }
    lane.behind = false;
    first_behind_ = std::exchange(lane.next_behind, nullptr);
    if (first_behind_ == nullptr) last_behind_ = nullptr;
    // The last thing: from here on the lane is the tracer's.
    if (lane.farewell_due && !queue_.add_farewell(lane)) {
      put_behind(lane);
      return false;
    }
  }
  return true;
}

bool LiveTrace::tell(Lane& lane) noexcept {
  if (lane.opened) {
    if (!queue_.add(lane, lane.opened->event())) return false;
    lane.opened.reset();
    lane.lost.take_back_one();
    --lost_events_;
  }
  if (!lane.lost.empty() &&
      !lane.lost.tell(lane.id, queue_.why_full(),
                      [&](const WireEvent& event) { return queue_.add(lane, event); })) {
    return false;
  }
  if (lane.question_due) {
    if (!queue_.add_question(lane)) return false;
    lane.question_due = false;
  }
  return true;
}

void LiveTrace::flush() {
  if (first_behind_ != nullptr) catch_up();
  queue_.hand_over(true);
}

void LiveTrace::tick(Time now) {
  if (is_watched()) queue_.hand_over_at(now);
}

void LiveTrace::set_wake(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

void LiveTrace::attend() {
  std::vector<SessionId> settled;
  std::vector<std::string> sayings;
  {
    const std::lock_guard lock(mutex_);
    settled.swap(settled_);
    sayings.swap(sayings_);
  }
  for (const std::string& saying : sayings) notices_.notice(saying);
  for (const SessionId id : settled) {
    const auto asker = asked_.extract(id);
    if (!asker.empty()) asker.mapped()->on_fate_settled();
  }
  if (first_behind_ != nullptr && catch_up()) queue_.hand_over(true);
}

void LiveTrace::finish(Duration patience) {
  if (std::exchange(finished_, true)) return;
  const auto until = std::chrono::steady_clock::now() + patience;
  tell_rest(patience);
  queue_.close();
  {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_until(lock, until, [this] { return has_ended_; })) lose_patience();
  }
  thread_.join();
  attend();
  // Left when there was no memory even for their farewell.
  while (Lane* lane = first_behind_) {
    first_behind_ = lane->next_behind;
    if (lane->farewell_due) delete lane;
  }
}

/// Tells what was lost last. The tracer makes room for it: by reading, or when that takes too long
/// by counting.
void LiveTrace::tell_rest(Duration patience) {
  while (first_behind_ != nullptr && !catch_up()) {
    queue_.hand_over(false);
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, patience, [this] { return std::exchange(roomy_, false); }))
      continue;
    if (out_of_patience_) return;
    lose_patience();
  }
}

void LiveTrace::lose_patience() {
  if (out_of_patience_.exchange(true)) return;
  notices_.notice("tracing takes too long to end: what it has not read yet is counted only");
}

LiveTrace::Totals LiveTrace::totals() const {
  return {lost_events_ + shed_events_, lost_octets_ + shed_octets_, untraced_ + run_.failed};
}

// The tracer's thread.

void LiveTrace::run() {
  for (;;) {
    TraceQueue::Taken taken = queue_.take();
    if (taken.over) break;
    bool roomy = false;
    if (taken.block) {
      taken.block->read(*this);
      roomy = queue_.give_back(std::move(taken.block));
    }
    if (taken.now && is_watched()) look(*taken.now);
    if (taken.flush) write_out();
    if (!roomy) continue;
    const std::lock_guard lock(mutex_);
    roomy_ = true;
    wake();
  }
  const std::lock_guard lock(mutex_);
  has_ended_ = true;
  changed_.notify_one();
}

void LiveTrace::on_event(Lane& lane, const WireEvent& event) {
  if (out_of_patience_.load(std::memory_order_relaxed)) {
    shed(lane, event);
  } else {
    feed(lane, event);
  }
}

void LiveTrace::feed(Lane& lane, const WireEvent& event) {
  if (!lane.session) {
    const auto* opened = std::get_if<SessionOpened>(&event.body);
    begin(lane, opened == nullptr || opened->mid_session);
  }
  if (lane.session->feed(event)) say(lane);
  if (lane.asked && !lane.session->fate_open()) settle(lane);
  if (capture_ != nullptr) {
    if (capture_->turned()) {
      name_resting();
    } else if (capture_->awaits_rest(lane.id) && lane.session->at_rest()) {
      capture_->at_rest(lane.id);
    }
  }
  if (std::holds_alternative<SessionEnded>(event.body)) end(lane);
}

/// To a capture that turns to a new file: these may go there.
void LiveTrace::name_resting() {
  for (Lane* lane = open_; lane != nullptr; lane = lane->next_open) {
    if (lane->session->at_rest()) capture_->at_rest(lane->id);
  }
}

void LiveTrace::begin(Lane& lane, bool mid_session) {
  lane.session.emplace(lane.id, mid_session, run_);
  lane.previous_open = nullptr;
  lane.next_open = open_;
  if (open_ != nullptr) open_->previous_open = &lane;
  open_ = &lane;
}

void LiveTrace::end(Lane& lane) {
  if (!lane.session) return;
  lane.session.reset();
  (lane.previous_open != nullptr ? lane.previous_open->next_open : open_) = lane.next_open;
  if (lane.next_open != nullptr) lane.next_open->previous_open = lane.previous_open;
}

/// Says who has been silent for long, and how all sessions stand.
void LiveTrace::look(Time now) noexcept {
  try {
    for (Lane* lane = open_; lane != nullptr; lane = lane->next_open) {
      const auto wait = lane->session->waiting(now);
      if (wait) alarm_.look(lane->id, *wait, lane->alarmed);
      for (LiveWatcher* watcher : watchers_) watcher->on_open(lane->id, wait);
    }
    for (LiveWatcher* watcher : watchers_) watcher->on_tick();
    if (!watchers_.empty()) write_out();
    std::vector<std::string> sayings = alarm_.take();
    if (sayings.empty()) return;
    const std::lock_guard lock(mutex_);
    for (std::string& saying : sayings) sayings_.push_back(std::move(saying));
    wake();
  } catch (...) {  // no memory: it is told when it has ended
  }
}

void LiveTrace::shed(Lane& lane, const WireEvent& event) {
  lane.shed.add(event);
  if (std::holds_alternative<Gap>(event.body)) return;  // counted when it was lost
  ++shed_events_;
  if (const auto* bytes = std::get_if<Bytes>(&event.body)) shed_octets_ += bytes->octets();
}

void LiveTrace::on_question(Lane& lane) {
  if (lane.session && lane.session->fate_open()) {
    lane.asked = true;
  } else {
    settle(lane);
  }
}

void LiveTrace::on_farewell(Lane& lane) {
  if (!lane.shed.empty()) {
    lane.shed.tell(lane.id, kStopped, [&](const WireEvent& event) {
      feed(lane, event);
      return true;
    });
  }
  end(lane);
  delete &lane;
}

void LiveTrace::settle(Lane& lane) {
  lane.asked = false;
  const std::lock_guard lock(mutex_);
  try {
    settled_.push_back(lane.id);
  } catch (...) {  // no memory, no answer: the relay listens on for as long as it has patience
  }
  wake();
}

/// The session's tracing has failed.
void LiveTrace::say(const Lane& lane) {
  const std::lock_guard lock(mutex_);
  try {
    sayings_.push_back(fmt::format("session {}: {}; its record ends here, its mail flows on",
                                   lane.id, lane.session->failure()));
  } catch (...) {  // no memory; the record says it, or the totals
  }
  wake();
}

void LiveTrace::write_out() {
  try {
    if (capture_ != nullptr && capture_->pending()) {
      capture_->flush();
      if (capture_->turned()) name_resting();
    }
    if (output_ != nullptr) output_->flush();
    for (LiveWatcher* watcher : watchers_) watcher->on_flush();
  } catch (const std::bad_alloc&) {  // the next flush tries again
  }
}

/// With the mutex held.
void LiveTrace::wake() {
  if (wake_) wake_();
  changed_.notify_one();
}

void LiveTrace::on_timeline(const TimelineEvent& event) {
  summary_.on_timeline(event);
  if (timeline_ != nullptr) timeline_->on_timeline(event);
}

}  // namespace smtpscope
