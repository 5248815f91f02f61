#pragma once

#include <string>

#include "diff/taps/taps_comparison.h"

namespace smtpscope {

/// What the page is told of two taps: a line of JSON, {"event":"taps",…}, with the lines of all
/// dialogues as the terminal has them.
std::string taps_record(const TapsComparison& comparison);

}  // namespace smtpscope
