#pragma once

#include <algorithm>
#include <span>
#include <string_view>

#include "base/ascii.h"

namespace smtpscope {

// What is looked for in the lines of any log.

/// A line of a reply: three digits, and a blank or hyphen if there is more (RFC 5321 4.2).
constexpr bool is_reply_line(std::string_view line) {
  return line.size() >= 3 && is_digit(line[0]) && is_digit(line[1]) && is_digit(line[2]) &&
         (line.size() == 3 || line[3] == ' ' || line[3] == '-');
}

constexpr bool begins_with_any(std::string_view line, std::span<const std::string_view> marks) {
  return std::any_of(marks.begin(), marks.end(),
                     [line](std::string_view mark) { return line.starts_with(mark); });
}

/// Whether `wanted` is true of any of the lines in `text`.
template <typename Predicate>
bool any_line(std::string_view text, Predicate wanted) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (wanted(line)) return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

}  // namespace smtpscope
