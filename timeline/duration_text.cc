#include "timeline/duration_text.h"

#include <fmt/format.h>

namespace smtpscope {

std::string duration_text(Duration duration) {
  const bool negative = duration < Duration::zero();
  const std::int64_t ns = negative ? -duration.count() : duration.count();
  const char* sign = negative ? "-" : "";
  if (ns < 999'500) return fmt::format("{}{} us", sign, (ns + 500) / 1000);
  const std::int64_t ms = (ns + 500'000) / 1'000'000;
  if (ms < 1000) return fmt::format("{}{} ms", sign, ms);
  if (ms < 120'000) return fmt::format("{}{}.{:03} s", sign, ms / 1000, ms % 1000);
  const std::int64_t s = ms / 1000;
  if (s < 7200) return fmt::format("{}{} min {} s", sign, s / 60, s % 60);
  return fmt::format("{}{} h {} min", sign, s / 3600, s / 60 % 60);
}

std::string duration_text(Duration duration, Duration resolution) {
  if (resolution < std::chrono::milliseconds(10)) return duration_text(duration);
  const bool whole = resolution % std::chrono::seconds(1) == Duration::zero();
  const auto in_steps = [whole](Duration part) {
    const auto s = part / std::chrono::seconds(1);
    if (whole && part < std::chrono::minutes(2)) return fmt::format("{} s", s);
    return duration_text(part);
  };
  if (duration < resolution) return fmt::format("less than {}", in_steps(resolution));
  return fmt::format("about {}", in_steps(duration));
}

std::string seconds_text(Duration duration) {
  const bool negative = duration < Duration::zero();
  const std::int64_t ms = ((negative ? -duration.count() : duration.count()) + 500'000) / 1'000'000;
  return fmt::format("{}{}.{:03}", negative ? "-" : "", ms / 1000, ms % 1000);
}

}  // namespace smtpscope
