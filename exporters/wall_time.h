#pragma once

#include <string>

#include "base/time.h"

namespace smtpscope {

/// RFC 3339 in UTC with nine decimals: "2026-11-23T12:00:00.123456789Z".
std::string rfc3339(WallTime time);

/// For the eye, to the millisecond: "2026-11-23 12:00:00.123Z".
std::string readable_time(WallTime time);

}  // namespace smtpscope
