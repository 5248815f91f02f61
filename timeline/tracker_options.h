#pragma once

#include "base/time.h"

namespace smtpscope {

/// Thresholds of the timing rules; the catalogue's defaults (rules 2.0).
struct TrackerOptions {
  Duration gap_note = std::chrono::milliseconds(950);
  Duration gap_warn = std::chrono::seconds(5);
};

}  // namespace smtpscope
