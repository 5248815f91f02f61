#pragma once

#include <chrono>

namespace smtpscope {

using Duration = std::chrono::nanoseconds;

/// Monotonic time of a run: nanoseconds since the run (or the capture file) began. It has no
/// now(): only the libuv files read a clock, everything else is told the time.
struct RunClock {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<RunClock, Duration>;
  static constexpr bool is_steady = true;
};

using Time = RunClock::time_point;

/// Wall clock, used once per run: the moment that Time zero stands for. Nanoseconds since
/// 1970-01-01 UTC.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

/// A Time from nanoseconds since the start of the run.
constexpr Time at_ns(Duration::rep ns) { return Time{Duration{ns}}; }

/// Nanoseconds since the start of the run.
constexpr Duration::rep ns_of(Time time) { return time.time_since_epoch().count(); }

}  // namespace smtpscope
