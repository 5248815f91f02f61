#include "trace/silence_alarm.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "timeline/event.h"
#include "timeline/severity.h"

namespace smtpscope {
namespace {

/// A step is a round time: "30 s", "250 ms".
std::string length_text(Duration step) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(step).count();
  return ms % 1000 == 0 ? fmt::format("{} s", ms / 1000) : fmt::format("{} ms", ms);
}

std::string words(SessionId session, const SilenceWatch::Wait& wait, Duration step) {
  const std::string length = length_text(step);
  if (wait.owed == kOwedConnection) {
    return fmt::format("session {}: no connection to the server for {}", session, length);
  }
  const bool both = wait.party == Party::kUnknown;
  const std::string_view who = both                          ? "both sides"
                               : wait.party == Party::kProxy ? "smtpscope"
                                                             : to_string(wait.party);
  return fmt::format("session {}: {} silent for {}, {} {}", session, who, length,
                     both ? "awaited:" : "owes", wait.owed);
}

}  // namespace

void SilenceAlarm::look(SessionId session, const SilenceWatch::Wait& wait, Told& told) {
  if (told.since != wait.from) told = {.since = wait.from, .steps = 0};
  std::size_t reached = told.steps;
  while (reached < steps_.size() && wait.length() >= steps_[reached]) ++reached;
  if (reached == told.steps) return;
  told.steps = static_cast<std::uint8_t>(reached);
  if (sayings_.size() < kNamed) {
    sayings_.push_back(words(session, wait, steps_[reached - 1]));
  } else {
    ++unnamed_;
  }
}

std::vector<std::string> SilenceAlarm::take() {
  if (unnamed_ > 0) {
    sayings_.push_back(
        fmt::format("{} more session{} silent", unnamed_, unnamed_ == 1 ? " is" : "s are"));
  }
  unnamed_ = 0;
  return std::exchange(sayings_, {});
}

}  // namespace smtpscope
