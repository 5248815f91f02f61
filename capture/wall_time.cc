#include "capture/wall_time.h"

#include <array>
#include <cstdint>

namespace smtpscope {
namespace {

/// The number that `digits` spell, -1 if there is anything else.
int number(std::string_view digits) {
  int value = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') return -1;
    value = value * 10 + (digit - '0');
  }
  return digits.empty() ? -1 : value;
}

}  // namespace

std::string format_wall_time(WallTime time) {
  std::string text;
  append_wall_time(text, time);
  return text;
}

void append_wall_time(std::string& out, WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  // Every line of a timeline has one: by hand, which is many times faster than a format.
  std::array<char, 30> text;
  char* at = text.data();
  const auto put = [&at](std::int64_t value, int digits, char behind) {
    for (char* digit = at + digits; digit != at; value /= 10) {
      *--digit = static_cast<char>('0' + value % 10);
    }
    at += digits;
    *at++ = behind;
  };
  put(static_cast<int>(date.year()), 4, '-');
  put(static_cast<unsigned>(date.month()), 2, '-');
  put(static_cast<unsigned>(date.day()), 2, 'T');
  put(clock.hours().count(), 2, ':');
  put(clock.minutes().count(), 2, ':');
  put(clock.seconds().count(), 2, '.');
  put(clock.subseconds().count(), 9, 'Z');
  out.append(text.data(), text.size());
}

std::optional<WallTime> parse_wall_time(std::string_view text) {
  // "YYYY-MM-DDTHH:MM:SS" and then decimals, and Z.
  constexpr std::size_t kSeconds = 19;
  constexpr std::size_t kDecimals = 9;
  if (text.size() <= kSeconds || !text.ends_with('Z')) return std::nullopt;
  if (text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const int year = number(text.substr(0, 4));
  const int month = number(text.substr(5, 2));
  const int day = number(text.substr(8, 2));
  const int hour = number(text.substr(11, 2));
  const int minute = number(text.substr(14, 2));
  const int second = number(text.substr(17, 2));
  if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  // What nanoseconds since 1970 can count in 64 bits ends in 1677 and 2262.
  if (!date.ok() || year < 1678 || year > 2261) return std::nullopt;

  int nanoseconds = 0;
  std::string_view decimals = text.substr(kSeconds, text.size() - kSeconds - 1);
  if (!decimals.empty()) {
    if (decimals[0] != '.') return std::nullopt;
    decimals.remove_prefix(1);
    if (decimals.size() > kDecimals) return std::nullopt;
    nanoseconds = number(decimals);
    if (nanoseconds < 0) return std::nullopt;
    for (std::size_t i = decimals.size(); i < kDecimals; ++i) nanoseconds *= 10;
  }
  return WallTime(std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(hour) +
                  std::chrono::minutes(minute) + std::chrono::seconds(second) +
                  std::chrono::nanoseconds(nanoseconds));
}

}  // namespace smtpscope
