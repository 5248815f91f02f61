#pragma once

#include <algorithm>
#include <string_view>

namespace smtpscope {

// Letters and digits as the mail protocols mean them: ASCII, whatever the locale (RFC 5321 2.4).

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }  // WSP of RFC 5234
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
constexpr bool is_letter(char c) { return upper(c) >= 'A' && upper(c) <= 'Z'; }
constexpr bool is_alphanumeric(char c) { return is_letter(c) || is_digit(c); }

constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return upper(x) == upper(y); });
}

constexpr std::string_view without_trailing_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace smtpscope
