#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace smtpscope {

/// How much of each message a capture keeps, as given to --message: "full", "none", or a number of
/// octets that may end in K, M or G (powers of 1024). SanitizerPolicy::kEverything for "full".
/// Empty when it is none of these.
std::optional<std::uint64_t> parse_message_size(std::string_view text);

/// A span of time as given to --grace or --pause: a number, whole or decimal, with "ms", "s" or
/// "m"; seconds without. Empty when it is none of these, or longer than a day.
std::optional<Duration> parse_duration(std::string_view text);

/// What is said of a value that parse_duration() does not take.
Error not_a_time(std::string_view option, std::string_view value);

/// A longer span of time, for files that are kept: a whole number with "s", "m", "h" or "d". Empty
/// when it is none of these, zero, or longer than ten years.
std::optional<Duration> parse_age(std::string_view text);

}  // namespace smtpscope
