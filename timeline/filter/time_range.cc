#include "timeline/filter/time_range.h"

#include <fmt/format.h>

#include <ctime>
#include <optional>

#include "base/ascii.h"

namespace smtpscope {
namespace {

/// A moment as it was written, and how long what was written lasts: a day, a minute, a second.
struct WrittenTime {
  bool every_day = false;
  Duration from{};
  Duration to{};
};

/// Digits where the shape has them ('d'), and everything else as it is.
bool has_shape(std::string_view text, std::string_view shape) {
  if (text.size() != shape.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (shape[i] == 'd' ? !is_digit(text[i]) : text[i] != shape[i]) return false;
  }
  return true;
}

int number(std::string_view text, std::size_t at, std::size_t digits) {
  int value = 0;
  for (const char c : text.substr(at, digits)) value = value * 10 + (c - '0');
  return value;
}

/// "14:05" or "14:05:09"; the time since midnight.
std::optional<WrittenTime> read_clock(std::string_view text) {
  const bool seconds = has_shape(text, "dd:dd:dd");
  if (!seconds && !has_shape(text, "dd:dd")) return std::nullopt;
  const int hour = number(text, 0, 2);
  const int minute = number(text, 3, 2);
  const int second = seconds ? number(text, 6, 2) : 0;
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const Duration from = std::chrono::seconds((hour * 60 + minute) * 60 + second);
  return WrittenTime{true, from, from + std::chrono::seconds(seconds ? 1 : 60)};
}

std::optional<WrittenTime> read_moment(std::string_view text) {
  if (const auto clock = read_clock(text)) return clock;
  constexpr std::size_t kDate = 10;  // "2026-11-23"
  if (!has_shape(text.substr(0, kDate), "dddd-dd-dd")) return std::nullopt;
  std::tm parts{};
  parts.tm_year = number(text, 0, 4) - 1900;
  parts.tm_mon = number(text, 5, 2) - 1;
  parts.tm_mday = number(text, 8, 2);
  parts.tm_isdst = -1;
  if (parts.tm_mon < 0 || parts.tm_mon > 11 || parts.tm_mday < 1 || parts.tm_mday > 31) {
    return std::nullopt;
  }
  Duration lasts = std::chrono::hours(24);
  bool utc = false;
  std::string_view rest = text.substr(kDate);
  if (!rest.empty()) {
    if (rest.front() != 'T') return std::nullopt;
    rest.remove_prefix(1);
    utc = rest.ends_with('Z');
    if (utc) rest.remove_suffix(1);
    const auto clock = read_clock(rest);
    if (!clock) return std::nullopt;
    const auto since = std::chrono::duration_cast<std::chrono::seconds>(clock->from).count();
    parts.tm_hour = static_cast<int>(since / 3600);
    parts.tm_min = static_cast<int>(since / 60 % 60);
    parts.tm_sec = static_cast<int>(since % 60);
    lasts = clock->to - clock->from;
  }
  const Duration from = std::chrono::seconds(utc ? timegm(&parts) : mktime(&parts));
  return WrittenTime{false, from, from + lasts};
}

Duration since_midnight(WallTime time) {
  const auto since = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const std::time_t stamp = static_cast<std::time_t>(seconds.count());
  std::tm parts{};
  localtime_r(&stamp, &parts);
  return std::chrono::seconds((parts.tm_hour * 60 + parts.tm_min) * 60 + parts.tm_sec) +
         (since - seconds);
}

}  // namespace

std::variant<TimeRange, FilterFault> TimeRange::read(std::string_view text) {
  const auto fault = [](std::size_t offset, std::string_view wrong) {
    return FilterFault{
        offset,
        fmt::format("'{}' is no time; write 14:05, 2026-11-23 or 2026-11-23T14:05:00", wrong)};
  };
  const std::size_t dots = text.find("..");
  const bool one = dots == std::string_view::npos;
  const std::string_view first = text.substr(0, dots);
  const std::string_view second = one ? std::string_view() : text.substr(dots + 2);
  if (!one && first.empty() && second.empty()) {
    return FilterFault{0, "'..' is no time; write 14:00..14:05"};
  }
  TimeRange range;
  std::optional<WrittenTime> from;
  std::optional<WrittenTime> to;
  if (!first.empty() || one) {
    from = read_moment(first);
    if (!from) return fault(0, first);
    range.every_day_ = from->every_day;
    range.from_ = from->from;
    if (one) range.to_ = from->to;
  }
  if (!second.empty()) {
    to = read_moment(second);
    if (!to) return fault(dots + 2, second);
    range.every_day_ = to->every_day;
    range.to_ = to->from;
  }
  if (from && to && from->every_day != to->every_day) {
    return FilterFault{0, fmt::format("'{}' has a date on one side only", text)};
  }
  return range;
}

bool TimeRange::contains(WallTime time) const {
  const Duration at = every_day_ ? since_midnight(time) : Duration(time.time_since_epoch());
  return at >= from_ && at < to_;
}

}  // namespace smtpscope
