#include "capture/append_point.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <string_view>

#include "base/system_error.h"
#include "capture/event_line.h"

namespace smtpscope {
namespace {

/// The session of an event's line, which stands second in it (docs/capture-format.md); 0 if there
/// is none.
SessionId session_of(std::string_view line) {
  constexpr std::string_view kKey = ",\"s\":";
  const std::size_t at = line.substr(0, 64).find(kKey);
  if (at == std::string_view::npos) return 0;
  SessionId session = 0;
  std::from_chars(line.data() + at + kKey.size(), line.data() + line.size(), session);
  return session;
}

}  // namespace

Result<AppendPoint> find_append_point(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{fmt::format("cannot append to {}: {}", path, system_words(errno))};
  AppendPoint point;
  std::string line;
  bool first = true;
  while (std::getline(file, line)) {
    if (file.eof()) {  // it has no end
      point.cut_octets = line.size();
      break;
    }
    if (first) {
      auto run = parse_header(line);
      if (!run) return Error{fmt::format("cannot append to {}: {}", path, run.error().message)};
      point.run = run.value();
      first = false;
    } else {
      point.last_session = std::max(point.last_session, session_of(line));
    }
    point.end += line.size() + 1;
  }
  if (first) {
    return Error{fmt::format("cannot append to {}: it has no whole first line; remove it", path)};
  }
  return point;
}

}  // namespace smtpscope
