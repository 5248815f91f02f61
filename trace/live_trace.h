#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "capture/capture_sink.h"
#include "capture/sanitizer.h"
#include "proxy/relay_observer.h"
#include "timeline/event.h"
#include "timeline/rule_set.h"
#include "timeline/state/run_history.h"
#include "timeline/verdict/run_summary.h"
#include "trace/background_output.h"
#include "trace/event_block.h"
#include "trace/live_watcher.h"
#include "trace/silence_alarm.h"
#include "trace/trace_queue.h"
#include "trace/traced_session.h"

namespace smtpscope {

/// Told what the operator should know about the tracing, a sentence each, on the loop's thread.
class TraceNotices {
 public:
  virtual ~TraceNotices() = default;
  virtual void notice(std::string_view text) = 0;
};

/// The observer of a live run. The loop's thread only copies what it relayed into a queue; a thread
/// of this object's own parses each session once, and gives the screened events to a capture and
/// the timeline to an exporter. So the relay cannot wait for the tracer, whatever that does: what
/// finds no room in the queue, or no memory, is a counted hole in the session's record. What is
/// thrown while a session is traced ends the tracing of that session (see TracedSession).
///
/// The functions of RelayObserver are called on the loop's thread, all others on the one that made
/// it. The capture, the exporter and its output are the tracer's from start() to finish().
class LiveTrace : public RelayObserver, private BlockReader, private TimelineSink {
 public:
  /// What never reached the record.
  struct Totals {
    std::uint64_t lost_events = 0;
    std::uint64_t lost_octets = 0;      // in those events
    std::uint64_t failed_sessions = 0;  // whose tracing broke off, or could not begin
  };

  /// How long finish() lets the tracer read what waits. Long enough for a full queue of ordinary
  /// mail many times over, short enough for whoever stops the service (systemd kills after 90 s).
  static constexpr Duration kPatience = std::chrono::seconds(30);

  /// Pointers but to `notices` may be nullptr; what they and `rules` point to must outlive the
  /// trace. `timeline` writes to `output`, which is only handed on from here. `alarm`: lengths of
  /// silences at which a notice tells of them, while they last. `also` takes what the capture
  /// takes, on the tracer's thread. `watchers` may write to the output, too.
  LiveTrace(SanitizerPolicy policy, const RuleSet& rules, CaptureSink* capture,
            TimelineSink* timeline, BackgroundOutput* output, TraceNotices& notices,
            std::size_t queue_limit = TraceQueue::kLimit, std::vector<Duration> alarm = {},
            WireSink* also = nullptr, std::vector<LiveWatcher*> watchers = {});
  /// Finishes.
  ~LiveTrace() override;

  std::unique_ptr<SessionObserver> open(SessionId session) override;
  void flush() override;
  void tick(Time now) override;
  void set_wake(std::function<void()> wake) override;
  void set_read_buffer(ReadBuffer& buffer) override { queue_.set_read_buffer(buffer); }
  void attend() override;

  /// After the last event. Waits until all is read and handed to capture and output; what is not
  /// read after `patience` becomes a hole. Sessions must all be over.
  void finish(Duration patience = kPatience);

  /// Octets that the queue takes now. Any thread.
  std::size_t queued() const { return queue_.used(); }
  /// Events that found no room in it. Any thread.
  std::uint64_t lost_so_far() const { return lost_events_; }

  /// After finish().
  const RunSummary& summary() const { return summary_; }
  Totals totals() const;

 private:
  class Entrance;

  // On the loop's thread.
  void take(Lane& lane, const WireEvent& event) noexcept;
  void ask(Lane& lane, FateListener& asker) noexcept;
  void leave(Lane& lane, bool asked) noexcept;
  void lose(Lane& lane, const WireEvent& event) noexcept;
  void put_behind(Lane& lane) noexcept;
  bool catch_up() noexcept;
  bool tell(Lane& lane) noexcept;
  void tell_rest(Duration patience);
  void lose_patience();

  // On the tracer's.
  void run();
  void on_event(Lane& lane, const WireEvent& event) override;
  void on_question(Lane& lane) override;
  void on_farewell(Lane& lane) override;
  void feed(Lane& lane, const WireEvent& event);
  void settle(Lane& lane);
  void name_resting();
  void shed(Lane& lane, const WireEvent& event);
  void begin(Lane& lane, bool mid_session);
  void end(Lane& lane);
  bool is_watched() const { return alarm_.is_set() || !watchers_.empty(); }
  void look(Time now) noexcept;
  void say(const Lane& lane);
  void write_out();
  void wake();
  void on_timeline(const TimelineEvent& event) override;
  bool reads_verdict() const override { return timeline_ != nullptr; }

  /// Both takers of the record.
  struct Records : WireSink {
    WireSink* first = nullptr;
    WireSink* second = nullptr;
    void on_wire(const WireEvent& event) override {
      first->on_wire(event);
      second->on_wire(event);
    }
  };
  WireSink* records(WireSink* capture, WireSink* also);

  RunHistory history_;
  Records records_;
  CaptureSink* const capture_;
  TimelineSink* const timeline_;
  BackgroundOutput* const output_;
  TraceNotices& notices_;
  TracedRun run_;
  RunSummary summary_;
  TraceQueue queue_;

  // The loop's.
  Lane* first_behind_ = nullptr;  // with something to tell, oldest first
  Lane* last_behind_ = nullptr;
  std::unordered_map<SessionId, FateListener*> asked_;
  std::atomic<std::uint64_t> lost_events_{0};  // read by others
  std::uint64_t lost_octets_ = 0;
  bool said_full_ = false;
  bool finished_ = false;
  std::uint64_t untraced_ = 0;  // sessions, for want of memory

  // The tracer's.
  SilenceAlarm alarm_;
  const std::vector<LiveWatcher*> watchers_;
  Lane* open_ = nullptr;  // those with a session, the newest first
  std::uint64_t shed_events_ = 0;
  std::uint64_t shed_octets_ = 0;

  std::atomic<bool> out_of_patience_{false};  // what is left is to be counted, not read

  std::mutex mutex_;  // for what follows
  std::condition_variable changed_;
  bool has_ended_ = false;
  bool roomy_ = false;  // there is room since it was last asked for
  std::function<void()> wake_;
  std::vector<SessionId> settled_;    // answers to be given
  std::vector<std::string> sayings_;  // notices to be given

  std::thread thread_;
};

}  // namespace smtpscope
