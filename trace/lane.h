#pragma once

#include <memory>
#include <optional>

#include "capture/event_copy.h"
#include "trace/losses.h"
#include "trace/silence_alarm.h"
#include "trace/traced_session.h"

namespace smtpscope {

/// One session of a live run on its way from the loop's thread to the tracer's. Made by the loop,
/// deleted by the tracer once the loop has said farewell. Each part belongs to one thread.
struct Lane {
  explicit Lane(SessionId number) : id(number) {}

  const SessionId id;

  // The loop's: what found no room in the queue and is not told yet.
  Losses lost;
  std::unique_ptr<EventCopy> opened;  // the session's first event, if it is among them
  bool question_due = false;
  bool farewell_due = false;
  bool behind = false;          // it is in the list of those with something to tell
  Lane* next_behind = nullptr;  // in that list

  // The tracer's.
  std::optional<TracedSession> session;  // between its first and its last event
  SilenceAlarm::Told alarmed;
  Lane* next_open = nullptr;  // of those with a session
  Lane* previous_open = nullptr;
  bool asked = false;  // for a message's fate, and not answered
  Losses shed;         // not read, as the run had to end
};

}  // namespace smtpscope
