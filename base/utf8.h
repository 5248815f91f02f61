#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace smtpscope {

/// The length of the UTF-8 sequence that `text` begins with, 1 to 4; 0 if it is none, or cut short.
/// RFC 3629 4: C0, C1 and F5.. never occur; the second octet's range shuts out overlong forms,
/// surrogates and what lies beyond U+10FFFF.
constexpr std::size_t utf8_sequence(std::string_view text) {
  const auto octet = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (text.empty()) return 0;
  const std::uint8_t lead = octet(0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (text.size() < size) return 0;
  const std::uint8_t least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const std::uint8_t most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (octet(1) < least || octet(1) > most) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if ((octet(i) & 0xc0) != 0x80) return 0;
  }
  return size;
}

/// What that sequence stands for; `size` is what utf8_sequence() gave, not 0.
constexpr char32_t utf8_value(std::string_view text, std::size_t size) {
  const auto octet = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (size == 1) return octet(0);
  char32_t value = octet(0) & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) value = value << 6 | (octet(i) & 0x3fU);
  return value;
}

/// Appends the sequence of a character, U+10FFFF at most (RFC 3629 3).
inline void append_utf8(std::string& text, char32_t point) {
  const auto put = [&](char32_t octet) { text += static_cast<char>(octet); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | point >> 6);
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3f));
  } else {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3f));
    put(0x80 | (point >> 6 & 0x3f));
  }
  if (point >= 0x80) put(0x80 | (point & 0x3f));
}

}  // namespace smtpscope
