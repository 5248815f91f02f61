#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "capture/wire_event.h"
#include "lab/replay/recorded_dialogue.h"

namespace smtpscope {

/// Reads a dialogue in the format of the transcripts in tests/timeline/transcripts, as far as a
/// server can play it; what they expect of a timeline is passed over. `name` is the file's, for the
/// Error, which has the first fault with its line.
Result<std::vector<RecordedDialogue>> read_script(std::string_view text, std::string_view name);

/// The same, as the events that it tells of.
Result<Done> read_script_events(std::string_view text, std::string_view name, WireSink& sink);

}  // namespace smtpscope
