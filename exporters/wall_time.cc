#include "exporters/wall_time.h"

#include <fmt/format.h>

#include <chrono>

namespace smtpscope {
namespace {

struct Civil {
  int year;
  unsigned month, day;
  std::chrono::hh_mm_ss<Duration> clock;
};

Civil civil(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  return {static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()), std::chrono::hh_mm_ss<Duration>(time - day)};
}

}  // namespace

std::string rfc3339(WallTime time) {
  const Civil at = civil(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", at.year, at.month, at.day,
                     at.clock.hours().count(), at.clock.minutes().count(),
                     at.clock.seconds().count(), at.clock.subseconds().count());
}

std::string readable_time(WallTime time) {
  const Civil at = civil(time);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}Z", at.year, at.month, at.day,
                     at.clock.hours().count(), at.clock.minutes().count(),
                     at.clock.seconds().count(), at.clock.subseconds().count() / 1'000'000);
}

}  // namespace smtpscope
