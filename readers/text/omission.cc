#include "readers/text/omission.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/ascii.h"
#include "readers/text/line_content.h"

namespace smtpscope {
namespace {

constexpr std::string_view kEllipsis = "\xe2\x80\xa6";  // U+2026

/// What words stand in: "[snip]", "-- snip --", "...".
constexpr bool is_frame(char c) {
  return std::string_view(".[](){}<>-=*~#/ \t").find(c) != std::string_view::npos;
}

bool says_left_out(std::string_view words) {
  constexpr std::array<std::string_view, 7> kWords = {"snip",      "snipped",   "omitted", "cut",
                                                      "truncated", "shortened", "skipped"};
  const std::string_view last = words.substr(words.find_last_of(" \t") + 1);
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view each) { return equal_ignoring_case(last, each); });
}

}  // namespace

bool marks_omission(std::string_view line) {
  constexpr std::size_t kLongest = 48;
  constexpr std::string_view kDots = "...";
  line = trimmed_blanks(line);
  // The dot alone ends a message (RFC 5321 4.5.2), and dashes are a rule.
  if (line.size() < kDots.size() || line.size() > kLongest) return false;
  const bool dots =
      line.find(kDots) != std::string_view::npos || line.find(kEllipsis) != std::string_view::npos;
  const bool framed = is_frame(line.front()) && is_frame(line.back());
  std::string words(line);
  for (std::size_t at = words.find(kEllipsis); at != std::string::npos;
       at = words.find(kEllipsis, at)) {
    words.erase(at, kEllipsis.size());
  }
  std::string_view inside = words;
  while (!inside.empty() && is_frame(inside.front())) inside.remove_prefix(1);
  while (!inside.empty() && is_frame(inside.back())) inside.remove_suffix(1);
  if (inside.empty()) return dots;
  return framed && says_left_out(inside);
}

}  // namespace smtpscope
