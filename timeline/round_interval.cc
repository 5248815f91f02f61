#include "timeline/round_interval.h"

#include <algorithm>

namespace smtpscope {

std::optional<RoundMatch> match_round(Duration wait, Duration rtt) {
  // A timer never fires early; the clocks at both ends of the measurement may disagree a little.
  constexpr Duration kEarly = std::chrono::milliseconds(5);
  constexpr Duration kLate = std::chrono::milliseconds(60);
  const Duration late = std::max(kLate, 2 * rtt);
  for (std::size_t i = 0; i < kRoundIntervals; ++i) {
    const Duration interval = std::chrono::seconds(kRoundSeconds[i]);
    const Duration excess = wait - interval;
    if (excess >= -kEarly && excess <= late) {
      return RoundMatch{.index = i, .interval = interval, .excess = excess};
    }
  }
  return std::nullopt;
}

}  // namespace smtpscope
