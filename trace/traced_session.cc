#include "trace/traced_session.h"

#include <exception>
#include <new>
#include <string_view>
#include <variant>

#include "timeline/tracker.h"

namespace smtpscope {

struct TracedSession::Parts {
  Parts(SessionId id, bool mid_session, TracedRun& run)
      : tracker(id, run.rules, run.history, run.timeline),
        sanitizer(run.policy, run.record, &tracker, mid_session) {}

  Tracker tracker;
  Sanitizer sanitizer;
};

TracedSession::TracedSession(SessionId session, bool mid_session, TracedRun& run)
    : id_(session), mid_session_(mid_session), run_(run) {}

TracedSession::~TracedSession() = default;

bool TracedSession::feed(const WireEvent& event) noexcept {
  const bool failed_before = !failure_.empty();
  try {
    if (failed_before) {
      count_lost(event);
      return false;
    }
    if (!parts_) parts_ = std::make_unique<Parts>(id_, mid_session_, run_);
    parts_->sanitizer.feed(event);
    return false;
  } catch (const std::bad_alloc&) {
    fail(event, "out of memory");
  } catch (const std::exception& e) {
    fail(event, e.what());
  } catch (...) {
    fail(event, "for no reason that it gave");
  }
  return !failed_before;
}

void TracedSession::break_off(Time now) noexcept {
  if (!parts_) return;
  try {
    parts_->tracker.break_off(now, parts_->sanitizer.conversation());
  } catch (const std::bad_alloc&) {  // the timeline lacks its end; nothing is in the record
  } catch (const std::exception&) {
  }
}

std::optional<SilenceWatch::Wait> TracedSession::waiting(Time now) const {
  if (!parts_) return std::nullopt;
  return parts_->tracker.waiting(now);
}

bool TracedSession::fate_open() const {
  return parts_ && parts_->sanitizer.conversation().fate_open();
}

bool TracedSession::at_rest() const {
  if (!parts_ || parts_->sanitizer.holds_back() || parts_->tracker.in_transaction()) return false;
  const Conversation& conversation = parts_->sanitizer.conversation();
  const auto all_read = [&](Side side) {
    return conversation.received(side) == conversation.itemised(side);
  };
  return conversation.phase() == Conversation::Phase::kCommands && conversation.owed() == 0 &&
         all_read(Side::kClient) && all_read(Side::kServer);
}

/// Nothing of it may throw: it is what happens when something has.
void TracedSession::fail(const WireEvent& event, std::string_view what) noexcept {
  if (!failure_.empty()) return;  // of the record itself; it was told
  parts_.reset();
  ++run_.failed;
  try {
    failure_ = "the tracer failed: ";
    failure_ += what;
  } catch (...) {
    failure_ = "out of memory";  // short enough to need none
  }
  try {
    count_lost(event);
    if (!lost_.empty()) tell_lost();
  } catch (...) {  // the record is no better off; the timeline may be
  }
  // The timeline ends here, so that nothing waits for the rest of it. If it was the timeline that
  // failed, it shows what it can.
  try {
    show_hole(event);
  } catch (...) {
  }
  try {
    SessionTotals totals;
    totals.ended = event.time;
    run_.timeline.on_timeline(
        {id_, event.time,
         TimelineSessionEnded{.totals = &totals, .verdict = {}, .not_evaluated = {}}});
  } catch (...) {
  }
}

/// What is lost goes into the record when the session ends: one gap for each side, not thousands.
void TracedSession::count_lost(const WireEvent& event) {
  lost_.add(event);
  if (std::holds_alternative<SessionEnded>(event.body)) tell_lost();
}

void TracedSession::tell_lost() {
  if (run_.record == nullptr) return;
  lost_.tell(id_, failure_, [this](const WireEvent& gap) {
    run_.record->on_wire(gap);
    return true;
  });
}

void TracedSession::show_hole(const WireEvent& event) {
  Gap gap;
  gap.events = 1;
  gap.why = failure_;
  if (const auto* bytes = std::get_if<Bytes>(&event.body)) {
    gap.from = bytes->from;
    gap.octets = bytes->octets();
  }
  run_.timeline.on_timeline({id_, event.time, TimelineGap{gap}});
}

}  // namespace smtpscope
