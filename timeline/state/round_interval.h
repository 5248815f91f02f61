#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "base/time.h"
#include "timeline/thresholds.h"

namespace smtpscope {

/// Lengths that people give to timers, in seconds. A wait of just such a length was probably no
/// work but a sleep, a retry interval, a resolver's or an idle timeout.
inline constexpr std::array<int, 21> kRoundSeconds = {
    1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 45, 60, 90, 120, 180, 240, 300, 600};
inline constexpr std::size_t kRoundIntervals = kRoundSeconds.size();

/// A wait that matches a round interval.
struct RoundMatch {
  std::size_t index = 0;  // in kRoundSeconds
  Duration interval{};
  Duration excess{};  // wait - interval; may be slightly negative
};

/// The round interval that `wait` matches: [-early, +max(late, 2 rtt)] around it; early and late
/// are the thresholds round-pause.early and round-pause.late.
///
/// Where times have a `resolution`, a timer's length still shows as itself in nearly all cases. But
/// so do other lengths: intervals of less than kLeastSteps steps of the clock match nothing then.
std::optional<RoundMatch> match_round(Duration wait, Duration rtt, const Thresholds& thresholds,
                                      Duration resolution = {});
inline constexpr int kLeastSteps = 5;

}  // namespace smtpscope
