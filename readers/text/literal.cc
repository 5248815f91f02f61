#include "readers/text/literal.h"

#include <algorithm>
#include <cstddef>

#include "base/ascii.h"

namespace smtpscope {
namespace {

int digit_of(char c, int base) {
  const char small = lower(c);
  const int value = is_digit(c) ? c - '0' : small >= 'a' && small <= 'f' ? small - 'a' + 10 : base;
  return value < base ? value : -1;
}

/// Up to `most` digits of `base` at the beginning of `text`, taken off it.
int take_number(std::string_view& text, std::size_t most, int base) {
  int number = 0;
  for (std::size_t i = 0; i < most && !text.empty(); ++i) {
    const int digit = digit_of(text.front(), base);
    if (digit < 0) break;
    number = number * base + digit;
    text.remove_prefix(1);
  }
  return number;
}

/// What stands behind a backslash, taken off `text`.
void take_escape(std::string_view& text, std::string& octets) {
  constexpr std::string_view kNames = "nrtab0vfe";
  constexpr std::string_view kMeanings("\n\r\t\a\b\0\v\f\x1b", 9);
  if (text.empty()) return;
  const char name = text.front();
  if (is_digit(name)) {
    octets += static_cast<char>(take_number(text, 3, 8));
    return;
  }
  text.remove_prefix(1);
  if (name == 'x') {
    octets += static_cast<char>(take_number(text, 2, 16));
  } else if (const std::size_t known = kNames.find(name); known != std::string_view::npos) {
    octets += kMeanings[known];
  } else {
    octets += name;
  }
}

}  // namespace

bool read_literal(std::string_view text, std::string& octets) {
  octets.clear();
  if (text.starts_with('b') || text.starts_with('u')) text.remove_prefix(1);
  if (text.empty() || (text.front() != '\'' && text.front() != '"')) return false;
  const char quote = text.front();
  text.remove_prefix(1);
  while (!text.empty() && text.front() != quote) {
    if (text.front() == '\\') {
      text.remove_prefix(1);
      take_escape(text, octets);
    } else {
      octets += text.front();
      text.remove_prefix(1);
    }
  }
  return true;
}

std::string_view without_line_end(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

std::string_view without_written_line_end(std::string_view text) {
  while (text.ends_with("\\n") || text.ends_with("\\r")) text.remove_suffix(2);
  return text;
}

}  // namespace smtpscope
