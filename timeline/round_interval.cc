#include "timeline/round_interval.h"

#include <algorithm>

namespace smtpscope {

std::optional<RoundMatch> match_round(Duration wait, Duration rtt, const Thresholds& thresholds,
                                      Duration resolution) {
  const Duration early = thresholds.duration(Threshold::kRoundEarly);
  const Duration late = std::max(thresholds.duration(Threshold::kRoundLate), 2 * rtt);
  for (std::size_t i = 0; i < kRoundIntervals; ++i) {
    const Duration interval = std::chrono::seconds(kRoundSeconds[i]);
    if (interval < kLeastSteps * resolution) continue;
    const Duration excess = wait - interval;
    if (excess >= -early && excess <= late) {
      return RoundMatch{.index = i, .interval = interval, .excess = excess};
    }
  }
  return std::nullopt;
}

}  // namespace smtpscope
