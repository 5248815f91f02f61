#include "timeline/reasons/reply_words.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace smtpscope {
namespace {

// U+00C0 to U+00FF, and as ISO 8859-1 the octets 0xC0 to 0xFF.
constexpr std::string_view kLatin =
    "aaaaaaaceeeeiiiidnooooo*ouuuuyts"
    "aaaaaaaceeeeiiiidnooooo/ouuuuyty";
// U+0100 to U+017F.
constexpr std::string_view kLatinExtended =
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
    "lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
static_assert(kLatin.size() == 64 && kLatinExtended.size() == 128);

struct Letter {
  char32_t code = 0;
  std::size_t octets = 1;
};

/// The UTF-8 character that `text` begins with; an octet that begins none stands for itself, as in
/// ISO 8859-1.
Letter letter_of(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const auto follows = [&](std::size_t i) { return i < text.size() && (at(i) & 0xC0) == 0x80; };
  const std::uint8_t first = at(0);
  if (first >= 0xC2 && first <= 0xDF && follows(1)) {
    return {static_cast<char32_t>((first & 0x1F) << 6 | (at(1) & 0x3F)), 2};
  }
  if ((first & 0xF0) == 0xE0 && follows(1) && follows(2)) {
    return {static_cast<char32_t>((first & 0x0F) << 12 | (at(1) & 0x3F) << 6 | (at(2) & 0x3F)), 3};
  }
  return {first, 1};
}

bool is_space(char octet) {
  return octet == ' ' || octet == '\t' || octet == '\n' || octet == '\r' || octet == '\v';
}

bool is_address_char(char octet) {
  return !is_space(octet) && octet != '<' && octet != '>' && octet != '(' && octet != ')' &&
         octet != '[' && octet != ']' && octet != '"' && octet != '\'' && octet != ',' &&
         octet != ';' && octet != '/' && octet != '=';
}

/// Where the address with its "@" at the end of `words` begins.
std::size_t address_begin(std::string_view words) {
  std::size_t begin = words.size();
  while (begin > 0 && is_address_char(words[begin - 1])) --begin;
  if (begin > 0 && words[begin - 1] == '<') --begin;
  return begin;
}

}  // namespace

std::string plain_words(std::string_view text) {
  text = text.substr(0, kMaxReasonWords);
  std::string words;
  words.reserve(text.size());
  while (!text.empty()) {
    const char octet = text.front();
    if (is_space(octet)) {
      if (!words.empty() && words.back() != ' ') words += ' ';
      text.remove_prefix(1);
      continue;
    }
    if (octet == '@') {
      const std::size_t begin = address_begin(words);
      if (begin < words.size()) {
        const bool bracket = words[begin] == '<';
        words.resize(begin);
        words += "addr@";
        text.remove_prefix(1);
        while (!text.empty() && is_address_char(text.front()) && text.front() != ':') {
          text.remove_prefix(1);
        }
        if (bracket && !text.empty() && text.front() == '>') text.remove_prefix(1);
        continue;
      }
    }
    if (static_cast<std::uint8_t>(octet) < 0x80) {
      const char quote = octet == '`' ? '\'' : octet;
      words += quote >= 'A' && quote <= 'Z' ? static_cast<char>(quote - 'A' + 'a') : quote;
      text.remove_prefix(1);
      continue;
    }
    const Letter letter = letter_of(text);
    if (letter.code >= 0xC0 && letter.code <= 0xFF) {
      words += kLatin[letter.code - 0xC0];
    } else if (letter.code >= 0x100 && letter.code <= 0x17F) {
      words += kLatinExtended[letter.code - 0x100];
    } else if (letter.code == 0x2019 || letter.code == 0x2018) {
      words += '\'';
    } else if (letter.code >= 0x400 && letter.code <= 0x42F) {
      // Cyrillic capitals: U+0410 to U+042F stand 32 above their small letters, U+0400 to
      // U+040F 80.
      const char32_t small =
          letter.code == 0x401 ? U'\u0435' : letter.code + (letter.code < 0x410 ? 0x50 : 0x20);
      words += static_cast<char>(0xC0 | (small >> 6));
      words += static_cast<char>(0x80 | (small & 0x3F));
    } else if (letter.code == 0x451) {
      words += "\xD0\xB5";  // U+0451 as U+0435, as most people write it
    } else {
      words += text.substr(0, letter.octets);
    }
    text.remove_prefix(letter.octets);
  }
  if (!words.empty() && words.back() == ' ') words.pop_back();
  return words;
}

}  // namespace smtpscope
