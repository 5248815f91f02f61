#include "readers/text/node_line.h"

#include <algorithm>
#include <array>

#include "readers/text/line_content.h"
#include "readers/text/log_stamp.h"

namespace smtpscope {

std::optional<NodeLine> read_node_line(std::string_view line) {
  constexpr std::array<std::string_view, 6> kLevels = {"TRACE", "DEBUG", "INFO",
                                                       "WARN",  "ERROR", "FATAL"};
  NodeLine read;
  read.level = line.substr(0, line.find(' '));
  if (std::find(kLevels.begin(), kLevels.end(), read.level) == kLevels.end()) return std::nullopt;
  line = without_leading_blanks(line.substr(read.level.size()));
  if (line.starts_with('[')) {
    const std::size_t end = line.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    read.session = line.substr(1, end - 1);
    line.remove_prefix(end + 1);
    if (line.starts_with(' ')) line.remove_prefix(1);
  }
  read.text = line;
  return read;
}

std::optional<NodeLine> read_stamped_node_line(std::string_view line) {
  LogStamps stamps{WallTime{}};
  const auto stamp = stamps.read_any(line);
  if (!stamp) return std::nullopt;
  return read_node_line(without_leading_blanks(line.substr(std::min(stamp->size, line.size()))));
}

}  // namespace smtpscope
