#pragma once

#include <algorithm>
#include <span>
#include <string_view>

#include "base/ascii.h"
#include "base/lines.h"

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
    if (wanted(take_line(text))) return true;
  }
  return false;
}

}  // namespace smtpscope
