#include "timeline/state/round_interval.h"

#include <algorithm>

namespace smtpscope {

std::optional<RoundMatch> match_round(Duration wait, Duration rtt, const Thresholds& thresholds,
                                      Duration resolution) {
  const Duration early = thresholds.duration(Threshold::kRoundEarly);
  const Duration late = thresholds.duration(Threshold::kRoundLate);
  for (std::size_t i = 0; i < kRoundIntervals; ++i) {
    const Duration interval = std::chrono::seconds(kRoundSeconds[i]);
    if (interval < kLeastSteps * resolution) continue;
    const Duration excess = wait - interval;
    // The way there and back comes on top of a wait; where it is long beside the wait itself,
    // anything would look round.
    const Duration way = std::min(2 * rtt, interval / 10);
    if (excess >= -early && excess <= std::max(late, way)) {
      return RoundMatch{.index = i, .interval = interval, .excess = excess};
    }
  }
  return std::nullopt;
}

}  // namespace smtpscope
