#pragma once

#include <string>

#include "base/time.h"

namespace smtpscope {

/// A duration for people, in the unit that fits: "85 us", "4 ms", "950 ms", "10.001 s", "5 min 3
/// s".
std::string duration_text(Duration duration);

/// The same of a duration between two times that were rounded down to multiples of `resolution`:
/// "about 10 s", "less than 1 s". Exact times and those of 10 ms or finer as above.
std::string duration_text(Duration duration, Duration resolution);

/// The same as seconds with three decimals, for attributes: "10.001".
std::string seconds_text(Duration duration);

}  // namespace smtpscope
