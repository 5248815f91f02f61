#include "exporters/text/bottom_line.h"

#include <fmt/format.h>

#include <utility>

namespace smtpscope {

void BottomLine::write(std::string_view text) {
  if (line_.empty()) {
    terminal_.write(text);
  } else {
    terminal_.write(fmt::format("{}{}{}\r", kClear, text, line_));
  }
}

void BottomLine::show(std::string line) {
  if (line_.empty() && line.empty()) return;
  line_ = std::move(line);
  terminal_.write(fmt::format("{}{}\r", kClear, line_));
}

}  // namespace smtpscope
