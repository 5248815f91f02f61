#include "cli/option_values.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "capture/sanitizer.h"

namespace smtpscope {

Error not_a_time(std::string_view option, std::string_view value) {
  return Error{fmt::format("{}: '{}' is no time; give 5s, 500ms or 2m", option, value)};
}

std::optional<std::uint64_t> parse_message_size(std::string_view text) {
  if (text == "full") return SanitizerPolicy::kEverything;
  if (text == "none") return 0;
  std::uint64_t octets = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, fault] = std::from_chars(text.data(), end, octets);
  if (fault != std::errc{} || text.empty()) return std::nullopt;
  std::uint64_t unit = 1;
  if (rest != end) {
    if (end - rest != 1) return std::nullopt;
    switch (*rest) {
      case 'K':
      case 'k':
        unit = std::uint64_t{1} << 10;
        break;
      case 'M':
        unit = std::uint64_t{1} << 20;
        break;
      case 'G':
        unit = std::uint64_t{1} << 30;
        break;
      default:
        return std::nullopt;
    }
  }
  if (octets > std::numeric_limits<std::int64_t>::max() / unit) return std::nullopt;
  return octets * unit;
}

std::optional<Duration> parse_duration(std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, fault] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (fault != std::errc{} || text.empty() || !std::isfinite(number) || number < 0) {
    return std::nullopt;
  }
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  double seconds = number;
  if (unit == "ms") {
    seconds = number / 1000;
  } else if (unit == "m") {
    seconds = number * 60;
  } else if (!unit.empty() && unit != "s") {
    return std::nullopt;
  }
  if (seconds > 86400) return std::nullopt;
  return std::chrono::round<Duration>(std::chrono::duration<double>(seconds));
}

std::optional<Duration> parse_age(std::string_view text) {
  constexpr std::int64_t kMostDaysOfAge = 3660;
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, fault] = std::from_chars(text.data(), end, number);
  if (fault != std::errc{} || end - rest != 1 || number <= 0) return std::nullopt;
  std::int64_t seconds = 1;
  switch (*rest) {
    case 's':
      break;
    case 'm':
      seconds = 60;
      break;
    case 'h':
      seconds = 3600;
      break;
    case 'd':
      seconds = 86400;
      break;
    default:
      return std::nullopt;
  }
  if (number > kMostDaysOfAge * 86400 / seconds) return std::nullopt;
  return std::chrono::seconds(number * seconds);
}

}  // namespace smtpscope
