#pragma once

#include <string>

#include "base/time.h"
#include "capture/fidelity.h"
#include "capture/wall_time.h"

namespace smtpscope {

/// A duration in at most seven columns: "850 us", "4 ms", "1.00 s", "10.00 s", "120 s", "2.8 h".
std::string short_duration(Duration duration);
/// Of a duration that a trace tells as exactly as `fidelity` says: "10 s", "" where it has no
/// times.
std::string short_duration(Duration duration, const Fidelity& fidelity);

/// The local time of day, rounded down to the millisecond: "13:00:00.123".
std::string local_clock(WallTime time);

/// A moment to the millisecond, in UTC: "2026-11-23 12:00:00.123Z".
std::string readable_time(WallTime time);

}  // namespace smtpscope
