#include "exporters/text/open_sessions_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "exporters/text/text_width.h"
#include "timeline/event.h"
#include "timeline/severity.h"

namespace smtpscope {
namespace {

constexpr std::size_t kWidth = 80;  // where the terminal does not tell

std::string words(const SilenceWatch::Wait& wait) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wait.length()).count();
  const std::string since = seconds > 0 ? fmt::format(" {} s", seconds) : "";
  if (wait.owed == kOwedConnection) return fmt::format("no connection yet{}", since);
  if (wait.party == Party::kUnknown) return fmt::format("awaited: {}{}", wait.owed, since);
  const std::string_view who = wait.party == Party::kProxy ? "smtpscope" : to_string(wait.party);
  return fmt::format("{} owes {}{}", who, wait.owed, since);
}

}  // namespace

void OpenSessionsLine::add(SessionId session, const std::optional<SilenceWatch::Wait>& wait) {
  if (wait) {
    open_.push_back({session, wait->length(), words(*wait)});
  } else {
    open_.push_back({session, {}, "not traced"});
  }
}

std::string OpenSessionsLine::take() {
  std::vector<Waiting> open = std::exchange(open_, {});
  if (open.empty()) return {};
  std::ranges::sort(open, [](const Waiting& a, const Waiting& b) {
    return a.since != b.since ? a.since > b.since : a.session < b.session;
  });
  // The last column stays free: writing there makes some terminals go to the next line.
  const std::size_t room = (style_.width() != 0 ? style_.width() : kWidth) - 1;
  std::string line = fmt::format("{} open", open.size());
  std::string_view separator = ": ";
  for (const Waiting& one : open) {
    const std::string piece = fmt::format("{}s{} {}", separator, one.session, one.words);
    if (display_width(line) + display_width(piece) > room) {
      return cut_to_width(line + fmt::format(" {}", style_.glyphs().more), room,
                          style_.glyphs().more);
    }
    line += piece;
    separator = " | ";
  }
  return line;
}

}  // namespace smtpscope
