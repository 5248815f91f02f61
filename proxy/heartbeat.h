#pragma once

#include <chrono>
#include <optional>

#include "base/time.h"

namespace smtpscope {

/// Finds out that the loop did not run when it should have, because the program was suspended or
/// starved: what peers said meanwhile was read too late. While sessions are open a timer beats once
/// a period, and anything that happens in between may find that a beat is overdue. Has no clock.
/// Not thread-safe.
class Heartbeat {
 public:
  static constexpr Duration kPeriod = std::chrono::seconds(1);
  /// Lateness that is not told: a busy machine is late by milliseconds, a suspended one by more.
  static constexpr Duration kForgiven = std::chrono::milliseconds(500);

  void start(Time now) { due_ = now + kPeriod; }

  /// Something happens between beats. Gives since when the loop did not run, if it did not.
  std::optional<Time> on_activity(Time now) {
    if (now <= due_ + kForgiven) return std::nullopt;
    const Time since = due_;
    due_ = now + kPeriod;
    return since;
  }
  /// The timer beats; as on_activity().
  std::optional<Time> on_beat(Time now) {
    const std::optional<Time> stalled = on_activity(now);
    due_ = now + kPeriod;
    return stalled;
  }

 private:
  Time due_;  // when the next beat should come
};

}  // namespace smtpscope
