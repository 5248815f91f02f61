#include "readers/text/log_stamp.h"

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

/// Empty when there is no such day, or none on which anybody wrote a log.
std::optional<WallTime> day_of(int year, int month, int day) {
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || year < 1900 || year > 2105) return std::nullopt;
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

/// "2026-11-30T05:16:29.100Z", "2026/11/30 05:16:29"
std::optional<LogStamp> read_year_first(std::string_view line) {
  Scanner scanner(line);
  const int year = scanner.number(4);
  const std::string_view mark = scanner.peek() == '/' ? "/" : "-";
  scanner.want(mark);
  const int month = scanner.number(2);
  scanner.want(mark);
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

/// TAI64N as multilog writes it: "@", 16 hexadecimal digits of seconds and 8 of nanoseconds. Its
/// seconds are those since 1970 plus 2^62 and the 10 by which it began.
std::optional<LogStamp> read_tai64n(std::string_view line) {
  constexpr std::size_t kSize = 25, kSecondsEnd = 17;
  constexpr std::uint64_t kEpoch = (std::uint64_t{1} << 62) + 10;
  if (line.size() < kSize || line[0] != '@') return std::nullopt;
  std::uint64_t seconds = 0, nanoseconds = 0;
  for (std::size_t at = 1; at < kSize; ++at) {
    const char c = lower(line[at]);
    const bool letter = c >= 'a' && c <= 'f';
    if (!is_digit(c) && !letter) return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(letter ? c - 'a' + 10 : c - '0');
    std::uint64_t& number = at < kSecondsEnd ? seconds : nanoseconds;
    number = number * 16 + digit;
  }
  constexpr std::uint64_t kLast = std::uint64_t{1} << 32;
  if (seconds < kEpoch || seconds - kEpoch > kLast || nanoseconds >= 1'000'000'000) {
    return std::nullopt;
  }
  return LogStamp{.time = WallTime(std::chrono::seconds(seconds - kEpoch) +
                                   std::chrono::nanoseconds(nanoseconds)),
                  .resolution = Duration(1),
                  .zoned = true,
                  .size = kSize};
}

/// From 1; 0: none.
int month_of(std::string_view name) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto found = std::find(kMonths.begin(), kMonths.end(), name);
  return found == kMonths.end() ? 0 : static_cast<int>(found - kMonths.begin()) + 1;
}

/// "04-Mar-2024 09:15:02 +0100", "04/Mar/2024:09:15:02 +0100".
std::optional<LogStamp> read_named_month(std::string_view line) {
  Scanner scanner(line);
  const int day = scanner.number(2);
  scanner.want("-/ ");
  const int month = month_of(scanner.word(3));
  scanner.want("-/ ");
  const int year = scanner.number(4);
  scanner.want(": ");
  const Clock clock = read_clock(scanner);
  Duration east{};
  bool zoned = false;
  Scanner behind(line.substr(scanner.taken()));
  if (scanner.ok() && behind.take(" ")) {
    zoned = read_zone(behind, east);
    if (!behind.ok()) zoned = false;
  }
  const auto midnight = scanner.ok() && month > 0 ? day_of(year, month, day) : std::nullopt;
  if (!scanner.ok() || !midnight) return std::nullopt;
  return LogStamp{.time = *midnight + clock.time - (zoned ? east : Duration{}),
                  .resolution = clock.resolution,
                  .zoned = zoned,
                  .size = scanner.taken() + (zoned ? behind.taken() : 0)};
}

bool is_day_name(std::string_view word) {
  constexpr std::array<std::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu",
                                                     "Fri", "Sat", "Sun"};
  return std::find(kDays.begin(), kDays.end(), word) != kDays.end();
}

}  // namespace

std::optional<LogStamp> LogStamps::read_any(std::string_view line) {
  std::size_t before = std::min(line.find_first_not_of("[(\"<"), line.size());
  // Not part of a text in quotes or brackets: one of each at most.
  if (before > 2) return std::nullopt;
  std::string_view text = line.substr(before);
  if (text.size() > 4 && is_day_name(text.substr(0, 3)) && (text[3] == ' ' || text[3] == ',')) {
    const std::size_t skipped = text[3] == ',' && text[4] == ' ' ? 5 : 4;
    text.remove_prefix(skipped);
    before += skipped;
  }
  std::optional<LogStamp> stamp = read_bare(text);
  if (!stamp) return std::nullopt;
  // "12:30:45abc" is none.
  if (stamp->size < text.size() && is_alphanumeric(text[stamp->size])) return std::nullopt;
  stamp->size += before;
  while (stamp->size < line.size() &&
         std::string_view("])\">").find(line[stamp->size]) != std::string_view::npos) {
    ++stamp->size;
  }
  return stamp;
}

std::optional<LogStamp> LogStamps::read_bare(std::string_view text) {
  constexpr std::size_t kShortest = 8;
  if (text.size() < kShortest) return std::nullopt;
  if (text.front() == '@') return read_tai64n(text);
  if (!is_digit(text.front())) return read_syslog(text);
  if (text[2] == ':') {
    std::optional<LogStamp> stamp = read_time_of_day(text);
    if (!stamp) return stamp;
    const std::string_view half = text.substr(stamp->size, 3);
    const bool pm = half == " PM" || half == " pm";
    if (!pm && half != " AM" && half != " am") return stamp;
    const int hour = (text[0] - '0') * 10 + (text[1] - '0');
    if (pm && hour < 12) stamp->time += std::chrono::hours(12);
    if (!pm && hour == 12) stamp->time -= std::chrono::hours(12);
    last_ = stamp->time;
    stamp->size += half.size();
    return stamp;
  }
  if (is_digit(text[2])) return read_year_first(text);
  return read_named_month(text);
}

std::optional<LogStamp> LogStamps::read(std::string_view line) {
  if (line.empty()) return std::nullopt;
  return is_digit(line.front()) ? read_year_first(line) : read_syslog(line);
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
