#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/ascii.h"

namespace smtpscope {

/// Of an octet of base64 in either alphabet (RFC 4648 4 and 5), -1 of any other.
constexpr int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (is_digit(c)) return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  return c == '/' || c == '_' ? 63 : -1;
}

/// The octets of a run of base64, as far as it can be read; everything else in it is skipped.
inline std::string decode_base64(std::string_view text) {
  std::string result;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const int value = base64_value(c);
    if (value < 0) continue;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      result += static_cast<char>(bits >> held & 0xff);
    }
  }
  return result;
}

/// RFC 4648 4, with padding.
inline std::string encode_base64(std::string_view octets) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto at = [&](std::size_t i) -> std::uint32_t {
    return i < octets.size() ? static_cast<std::uint8_t>(octets[i]) : 0;
  };
  std::string out;
  out.reserve((octets.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < octets.size(); i += 3) {
    const std::uint32_t group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    out += kAlphabet[group >> 18];
    out += kAlphabet[group >> 12 & 63];
    out += i + 1 < octets.size() ? kAlphabet[group >> 6 & 63] : '=';
    out += i + 2 < octets.size() ? kAlphabet[group & 63] : '=';
  }
  return out;
}

}  // namespace smtpscope
