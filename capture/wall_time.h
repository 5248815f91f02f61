#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace smtpscope {

/// RFC 3339 in UTC with nine decimals, as it stands in captures: "2026-11-23T12:00:00.123456789Z".
std::string format_wall_time(WallTime time);
void append_wall_time(std::string& out, WallTime time);

/// Reads what format_wall_time() writes, with any number of decimals up to nine. Empty when it is
/// no such time.
std::optional<WallTime> parse_wall_time(std::string_view text);

}  // namespace smtpscope
