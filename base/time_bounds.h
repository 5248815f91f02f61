#pragma once

#include "base/time.h"

namespace smtpscope {

/// Times lie so far from the beginning of their run at most, and no wait is longer: seventy years.
/// What comes of four of them, added or taken from one another, can be counted in 64 bits. Whoever
/// reads times that somebody else has written holds them to it.
inline constexpr Duration kFurthestTime = std::chrono::hours(24 * 365 * 70);

}  // namespace smtpscope
