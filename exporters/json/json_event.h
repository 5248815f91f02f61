#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "capture/wire_event.h"
#include "timeline/event.h"

namespace smtpscope {

class JsonWriter;

// The JSON form of what exporters are given, the same in the json and the jsonl format;
// docs/timeline.schema.json describes it. Each gives one object on one line.

/// What the event is called: "entry", "silence", "session-started" …
std::string_view kind_of(const TimelineEvent& event);

/// The event's time and content. `run_started` is Time zero.
std::string json_of(const TimelineEvent& event, WallTime run_started);
/// The same without a string of its own: the members, into an object that has been begun.
void write_members(JsonWriter& json, const TimelineEvent& event, WallTime run_started);

/// A run: when it began, where it was read from, what was kept.
std::string json_of(const RunInfo& run);

}  // namespace smtpscope
