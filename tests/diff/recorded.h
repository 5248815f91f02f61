#pragma once

#include <string>
#include <string_view>

#include "trace/run_record.h"

namespace smtpscope::test {

/// The record of the run that a transcript (tests/timeline/transcripts/README.md) tells. Its
/// expectations are not looked at. REQUIREs that it can be read.
RunRecord recorded(std::string_view transcript, std::string name = "run");

}  // namespace smtpscope::test
