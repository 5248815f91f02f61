#include "exporters/time_words.h"

#include <fmt/format.h>

#include <chrono>
#include <ctime>

namespace smtpscope {

std::string short_duration(Duration duration) {
  // Each limit is where rounding would reach the next unit: 999.5 ms is "1.00 s".
  const double us = static_cast<double>(duration.count()) / 1e3;
  const double ms = us / 1e3;
  const double s = ms / 1e3;
  if (us < 999.5) return fmt::format("{:.0f} us", us);
  if (ms < 999.5) return fmt::format("{:.0f} ms", ms);
  if (s < 99.995) return fmt::format("{:.2f} s", s);
  if (s < 9999.5) return fmt::format("{:.0f} s", s);
  return fmt::format("{:.1f} h", s / 3600);
}

std::string short_duration(Duration duration, const Fidelity& fidelity) {
  if ((fidelity.unknown & kUnknownTimes) != 0) return {};
  if (fidelity.resolution < std::chrono::seconds(1)) return short_duration(duration);
  if (duration < fidelity.resolution) return "< 1 s";
  return fmt::format("{} s", duration / std::chrono::seconds(1));
}

std::string local_clock(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch());
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch() - seconds);
  const std::time_t stamp = static_cast<std::time_t>(seconds.count());
  std::tm parts{};
  localtime_r(&stamp, &parts);
  return fmt::format("{:02}:{:02}:{:02}.{:03}", parts.tm_hour, parts.tm_min, parts.tm_sec,
                     ms.count());
}

std::string readable_time(WallTime time) {
  const std::string whole = format_wall_time(time);  // "2026-11-23T12:00:00.123456789Z"
  const std::size_t t = whole.find('T');
  return fmt::format("{} {}Z", whole.substr(0, t), whole.substr(t + 1, 12));
}

}  // namespace smtpscope
