#pragma once

#include <string>

#include "base/time.h"

namespace smtpscope {

/// A duration for people, in the unit that fits: "85 us", "4 ms", "950 ms", "10.001 s", "5 min 3
/// s".
std::string duration_text(Duration duration);

/// The same as seconds with three decimals, for attributes: "10.001".
std::string seconds_text(Duration duration);

}  // namespace smtpscope
