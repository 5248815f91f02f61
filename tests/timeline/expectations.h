#pragma once

#include <string>
#include <vector>

#include "tests/timeline/timeline_dump.h"
#include "tests/timeline/transcript.h"

namespace smtpscope::test {

/// What the timeline did not say although the transcript demands it, and what it said against it:
/// one line each, empty when all is well.
std::vector<std::string> differences(const Transcript& transcript, const TimelineDump& dump);

}  // namespace smtpscope::test
