#include "cli/option_values.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "capture/screen.h"

namespace smtpscope {

std::optional<std::uint64_t> parse_message_size(std::string_view text) {
  if (text == "full") return ScreenPolicy::kEverything;
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

}  // namespace smtpscope
