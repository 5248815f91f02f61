#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace smtpscope {

// Letters and digits as the mail protocols mean them: ASCII, whatever the locale (RFC 5321 2.4).

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }  // WSP of RFC 5234
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr bool is_letter(char c) { return upper(c) >= 'A' && upper(c) <= 'Z'; }

/// Names are read letter by letter, so this one is looked up.
inline constexpr auto kAlphanumeric = [] {
  std::array<bool, 256> is_one{};
  for (std::size_t octet = 0; octet < is_one.size(); ++octet) {
    is_one[octet] = is_letter(static_cast<char>(octet)) || is_digit(static_cast<char>(octet));
  }
  return is_one;
}();
constexpr bool is_alphanumeric(char c) { return kAlphanumeric[static_cast<unsigned char>(c)]; }

constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return upper(x) == upper(y); });
}

inline std::string in_upper_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), upper);
  return out;
}

inline std::string in_lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

constexpr std::string_view without_trailing_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace smtpscope
