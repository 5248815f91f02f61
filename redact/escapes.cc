#include "redact/escapes.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "base/ascii.h"
#include "redact/word_cipher.h"

namespace smtpscope {
namespace {

/// Two hexadecimal digits at `at`.
std::optional<char> hex_octet(std::string_view text, std::size_t at) {
  if (text.size() < at + 2) return std::nullopt;
  unsigned value = 0;
  const char* const begin = text.data() + at;
  const auto [end, error] = std::from_chars(begin, begin + 2, value, 16);
  if (error != std::errc{} || end != begin + 2) return std::nullopt;
  return static_cast<char>(value);
}

/// Octets of the line end at `at`.
std::size_t line_end(std::string_view text, std::size_t at) {
  text = text.substr(at);
  if (text.starts_with("\r\n")) return 2;
  return text.starts_with('\n') ? 1 : 0;
}

}  // namespace

std::string decode_xtext(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = text[i] == '+' ? hex_octet(text, i + 1) : std::nullopt;
    result += octet ? *octet : text[i];
    if (octet) i += 2;
  }
  return result;
}

std::string encode_xtext(std::string_view text) { return encode_xtext(text, {}); }

std::string encode_xtext(std::string_view text, std::string_view like) {
  const auto beyond = [](char c) { return static_cast<std::uint8_t>(c) > 0x7f; };
  const bool raw = std::ranges::any_of(like, beyond);
  std::string result;
  for (const char c : text) {
    const auto octet = static_cast<std::uint8_t>(c);
    const bool odd = c == '=' || octet < 0x21 || octet > 0x7e;
    const bool stays = beyond(c) ? raw : like.find(c) != std::string_view::npos;
    if (c == '+' || (odd && !stays)) {
      result += fmt::format("+{:02X}", octet);
    } else {
      result += c;
    }
  }
  return result;
}

std::string decode_unitext(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    std::uint32_t point = 0;
    if (text.starts_with("\\x{")) {
      const char* const end = text.data() + text.size();
      const auto [stopped, error] = std::from_chars(text.data() + 3, end, point, 16);
      if (error == std::errc{} && stopped != end && *stopped == '}' && point < 0x110000) {
        if (point < 0x80) {
          result += static_cast<char>(point);
        } else if (point < 0x800) {
          result += static_cast<char>(0xc0 | point >> 6);
          result += static_cast<char>(0x80 | (point & 0x3f));
        } else {
          if (point >= 0x10000) result += static_cast<char>(0xf0 | point >> 18);
          result +=
              static_cast<char>(point < 0x10000 ? 0xe0 | point >> 12 : 0x80 | (point >> 12 & 0x3f));
          result += static_cast<char>(0x80 | (point >> 6 & 0x3f));
          result += static_cast<char>(0x80 | (point & 0x3f));
        }
        text.remove_prefix(static_cast<std::size_t>(stopped - text.data()) + 1);
        continue;
      }
    }
    result += text.front();
    text.remove_prefix(1);
  }
  return result;
}

std::string encode_unitext(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<std::uint8_t>(text[i]);
    const std::size_t size = lead < 0x80 ? 0 : utf8_character(text, i);
    if (size == 0) {
      result += text[i++];
      continue;
    }
    std::uint32_t point = lead & (0xffU >> (size + 1));
    for (std::size_t k = 1; k < size; ++k) {
      point = point << 6 | (static_cast<std::uint8_t>(text[i + k]) & 0x3f);
    }
    result += fmt::format("\\x{{{:X}}}", point);
    i += size;
  }
  return result;
}

std::string decode_quoted(std::string_view text, char mark) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == mark) {
      if (const auto octet = hex_octet(text, i + 1)) {
        c = *octet;
        i += 2;
      } else if (const std::size_t end = mark == '=' ? line_end(text, i + 1) : 0; end > 0) {
        i += end;
        continue;
      }
    }
    result += c;
  }
  return result;
}

}  // namespace smtpscope
