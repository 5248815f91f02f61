#include "parser/encoded_words.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/utf8.h"

namespace smtpscope {
namespace {

enum class WordCharset : std::uint8_t { kUnknown, kUtf8, kLatin1, kLatin9, kWindows1252 };

/// Of the octets 0x80 to 0x9f. 0: none, the octet stays the control character that it is.
constexpr std::array<char16_t, 32> kWindows1252 = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};

/// Where ISO-8859-15 is not ISO-8859-1.
constexpr char32_t latin9(unsigned char octet) {
  switch (octet) {
    case 0xa4:
      return 0x20ac;
    case 0xa6:
      return 0x0160;
    case 0xa8:
      return 0x0161;
    case 0xb4:
      return 0x017d;
    case 0xb8:
      return 0x017e;
    case 0xbc:
      return 0x0152;
    case 0xbd:
      return 0x0153;
    case 0xbe:
      return 0x0178;
    default:
      return octet;
  }
}

WordCharset charset_of(std::string_view name) {
  const std::string lower = in_lower_case(name.substr(0, name.find('*')));  // RFC 2231 5
  if (lower == "utf-8" || lower == "utf8" || lower == "us-ascii") return WordCharset::kUtf8;
  if (lower == "iso-8859-1") return WordCharset::kLatin1;
  if (lower == "iso-8859-15") return WordCharset::kLatin9;
  if (lower == "windows-1252" || lower == "cp1252") return WordCharset::kWindows1252;
  return WordCharset::kUnknown;
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char up = upper(c);
  return up >= 'A' && up <= 'F' ? up - 'A' + 10 : -1;
}

/// RFC 2047 4.2. Nothing if it is not well formed.
std::optional<std::string> decode_q(std::string_view text) {
  std::string octets;
  octets.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '_') {
      octets += ' ';
    } else if (text[i] != '=') {
      octets += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      octets += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return octets;
}

bool is_base64(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  for (const char c : text) {
    if (base64_value(c) < 0) return false;
  }
  return true;
}

struct EncodedText {
  WordCharset charset = WordCharset::kUnknown;
  std::string octets;
  std::size_t size = 0;  // of the word
};

/// "=?charset?encoding?text?=" at the beginning of `text` (RFC 2047 2), if it can be decoded.
std::optional<EncodedText> read_word(std::string_view text) {
  if (!text.starts_with("=?")) return std::nullopt;
  const std::size_t charset_end = text.find('?', 2);
  if (charset_end == std::string_view::npos || charset_end + 2 >= text.size()) return std::nullopt;
  const char encoding = upper(text[charset_end + 1]);
  if (text[charset_end + 2] != '?') return std::nullopt;
  const std::size_t begin = charset_end + 3;
  const std::size_t end = text.find("?=", begin);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view encoded = text.substr(begin, end - begin);
  // A blank ends a word (RFC 2047 2). Programs that put one into Q are read all the same.
  EncodedText word;
  word.charset = charset_of(text.substr(2, charset_end - 2));
  word.size = end + 2;
  if (word.charset == WordCharset::kUnknown) return std::nullopt;
  if (encoding == 'B') {
    if (!is_base64(encoded)) return std::nullopt;
    word.octets = decode_base64(encoded);
  } else if (encoding == 'Q') {
    std::optional<std::string> octets = decode_q(encoded);
    if (!octets) return std::nullopt;
    word.octets = std::move(*octets);
  } else {
    return std::nullopt;
  }
  return word;
}

void append_as_utf8(std::string& out, WordCharset charset, std::string_view octets) {
  if (charset == WordCharset::kUtf8) {
    out += octets;
    return;
  }
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    char32_t point = octet;
    if (charset == WordCharset::kLatin9) point = latin9(octet);
    if (charset == WordCharset::kWindows1252 && octet >= 0x80 && octet < 0xa0 &&
        kWindows1252[octet - 0x80] != 0) {
      point = kWindows1252[octet - 0x80];
    }
    append_utf8(out, point);
  }
}

}  // namespace

std::string decode_encoded_words(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  std::size_t at = 0;
  while (at < text.size()) {
    std::optional<EncodedText> word = read_word(text.substr(at));
    if (!word) {
      out += text[at++];
      continue;
    }
    append_as_utf8(out, word->charset, word->octets);
    at += word->size;
    // Blanks between two of them only kept a line short (RFC 2047 6.2).
    const std::size_t next = text.find_first_not_of(" \t", at);
    if (next != std::string_view::npos && next > at && read_word(text.substr(next))) at = next;
  }
  return out;
}

}  // namespace smtpscope
