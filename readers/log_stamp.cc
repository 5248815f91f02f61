#include "readers/log_stamp.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/ascii.h"

namespace smtpscope {
namespace {

/// A log may be written in the zone that is furthest ahead of UTC.
constexpr Duration kFurthestZone = std::chrono::hours(14);
/// A year, or a day, is another one when the stamps would step back by more than this.
constexpr std::chrono::days kHalfYear{183};

/// Takes a text apart from its beginning. The first thing that is not as wanted makes it fail.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool ok() const { return ok_; }
  std::size_t taken() const { return at_; }
  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }

  bool take(std::string_view any_of) {
    const bool found = !at_end() && any_of.find(peek()) != std::string_view::npos;
    if (found) ++at_;
    return found;
  }
  void want(std::string_view any_of) { ok_ = take(any_of) && ok_; }

  /// Exactly `digits` digits.
  int number(std::size_t digits) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (!is_digit(peek())) ok_ = false;
      if (!ok_) return 0;
      value = value * 10 + (text_[at_++] - '0');
    }
    return value;
  }
  std::string_view word(std::size_t size) {
    if (text_.size() - at_ < size) ok_ = false;
    if (!ok_) return {};
    at_ += size;
    return text_.substr(at_ - size, size);
  }
  void fail() { ok_ = false; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

struct Clock {
  Duration time{};  // of the day
  Duration resolution{};
};

/// "02:36:00", and decimals if there are any.
Clock read_clock(Scanner& scanner) {
  const int hour = scanner.number(2);
  scanner.want(":");
  const int minute = scanner.number(2);
  scanner.want(":");
  const int second = scanner.number(2);
  if (hour > 23 || minute > 59 || second > 60) scanner.fail();
  Clock clock{
      std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second),
      std::chrono::seconds(1)};
  if (!scanner.ok() || !scanner.take(".,")) return clock;
  if (!is_digit(scanner.peek())) scanner.fail();
  Duration fraction{};
  while (is_digit(scanner.peek())) {
    const int digit = scanner.number(1);
    // Digits beyond nanoseconds say nothing more.
    if (clock.resolution > Duration(1)) {
      clock.resolution /= 10;
      fraction += digit * clock.resolution;
    }
  }
  clock.time += fraction;
  return clock;
}

/// Empty when there is no such day, or none that nanoseconds since 1970 can tell.
std::optional<WallTime> day_of(int year, int month, int day) {
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || year < 1678 || year > 2261) return std::nullopt;
  return WallTime(std::chrono::sys_days(date));
}

int year_of(WallTime time) {
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(time));
  return static_cast<int>(date.year());
}

/// "Z", "+01:00", "-0500", or nothing. Gives whether there was a zone.
bool read_zone(Scanner& scanner, Duration& east) {
  if (scanner.take("Zz")) return true;
  const bool west = scanner.peek() == '-';
  if (!scanner.take("+-")) return false;
  const int hour = scanner.number(2);
  scanner.take(":");
  const int minute = scanner.number(2);
  if (hour > 23 || minute > 59) scanner.fail();
  east = std::chrono::hours(hour) + std::chrono::minutes(minute);
  if (west) east = -east;
  return true;
}

std::optional<LogStamp> read_iso(std::string_view line) {
  Scanner scanner(line);
  const int year = scanner.number(4);
  scanner.want("-");
  const int month = scanner.number(2);
  scanner.want("-");
  const int day = scanner.number(2);
  scanner.want("Tt ");
  const Clock clock = read_clock(scanner);
  Duration east{};
  const bool zoned = scanner.ok() && read_zone(scanner, east);
  const auto midnight = scanner.ok() ? day_of(year, month, day) : std::nullopt;
  if (!scanner.ok() || !midnight) return std::nullopt;
  return LogStamp{.time = *midnight + clock.time - east,
                  .resolution = clock.resolution,
                  .zoned = zoned,
                  .size = scanner.taken()};
}

/// From 1; 0: none.
int month_of(std::string_view name) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto found = std::find(kMonths.begin(), kMonths.end(), name);
  return found == kMonths.end() ? 0 : static_cast<int>(found - kMonths.begin()) + 1;
}

}  // namespace

std::optional<LogStamp> LogStamps::read(std::string_view line) {
  if (line.empty()) return std::nullopt;
  return is_digit(line.front()) ? read_iso(line) : read_syslog(line);
}

std::optional<LogStamp> LogStamps::read_syslog(std::string_view line) {
  Scanner scanner(line);
  const int month = month_of(scanner.word(3));
  scanner.want(" ");
  // RFC 3164 4.1.2: a blank in the place of a day's first digit.
  const int day = scanner.take(" ") ? scanner.number(1) : scanner.number(2);
  scanner.want(" ");
  const Clock clock = read_clock(scanner);
  if (!scanner.ok() || month == 0) return std::nullopt;

  int year = year_of(last_.value_or(latest_));
  auto midnight = day_of(year, month, day);
  const auto early = [&] { return midnight && last_ && *midnight + kHalfYear < *last_; };
  const auto late = [&] {
    return midnight &&
           *midnight + clock.time > (last_ ? *last_ + kHalfYear : latest_ + kFurthestZone);
  };
  // 29 February is in every fourth year only.
  if (late() || (!midnight && !last_)) {
    midnight = day_of(year - 1, month, day);
  } else if (early()) {
    midnight = day_of(year + 1, month, day);
  }
  if (!midnight) return std::nullopt;
  last_ = *midnight + clock.time;
  return LogStamp{
      .time = *last_, .resolution = clock.resolution, .yearless = true, .size = scanner.taken()};
}

std::optional<LogStamp> LogStamps::read_time_of_day(std::string_view line) {
  Scanner scanner(line);
  const Clock clock = read_clock(scanner);
  if (!scanner.ok()) return std::nullopt;
  WallTime time = std::chrono::floor<std::chrono::days>(last_.value_or(latest_)) + clock.time;
  constexpr Duration kHalfDay = std::chrono::hours(12);
  if (last_ && time + kHalfDay < *last_) {
    time += std::chrono::days(1);
  } else if (last_ ? time > *last_ + kHalfDay : time > latest_ + kFurthestZone) {
    time -= std::chrono::days(1);
  }
  last_ = time;
  return LogStamp{
      .time = time, .resolution = clock.resolution, .yearless = true, .size = scanner.taken()};
}

}  // namespace smtpscope
