#pragma once

#include "base/time.h"

namespace smtpscope {

/// How a recording's waits are played: so many times as long; 0: none of them.
struct ReplayPace {
  double factor = 0;

  Duration of(Duration recorded) const {
    if (factor == 1) return recorded;
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::nano>(recorded) *
                                                factor);
  }
};

}  // namespace smtpscope
