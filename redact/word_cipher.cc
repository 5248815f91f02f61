#include "redact/word_cipher.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/ascii.h"
#include "base/utf8.h"

namespace smtpscope {
namespace {

/// Eight rounds are what SP 800-38G has come to think of as too few only for tiny words, which
/// could be guessed anyhow.
constexpr char kRounds = 8;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

/// The letters and digits of a word as numbers.
struct Symbols {
  std::vector<std::size_t> places;
  std::string values;  // each below its radix
};

std::uint32_t radix_at(std::string_view word, std::size_t place) {
  return is_digit(word[place]) ? 10U : 26U;
}

std::string other_letters(std::size_t octets, HashStream& stream) {
  std::string letter;
  switch (octets) {
    case 2:  // U+0430 to U+044F, small letters of the Cyrillic alphabet
      append_utf8(letter, 0x430 + stream.below(0x20));
      break;
    case 3:  // from U+4E00 on, CJK unified ideographs
      append_utf8(letter, 0x4e00 + stream.below(0x5000));
      break;
    default:  // from U+20000 on, more of them
      append_utf8(letter, 0x20000 + stream.below(0xa000));
      break;
  }
  return letter;
}

}  // namespace

std::string with_case_of(std::string_view original, std::string_view text) {
  std::string result(text);
  const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (original.size() == text.size()) {
    for (std::size_t i = 0; i < result.size(); ++i) {
      if (is_capital(original[i])) result[i] = upper(result[i]);
    }
    return result;
  }
  const auto capital = std::ranges::find_if(original, is_capital);
  if (capital == original.end()) return result;
  if (std::ranges::none_of(original, is_lower)) return in_upper_case(text);
  if (capital == original.begin() && !result.empty()) result.front() = upper(result.front());
  return result;
}

std::size_t utf8_character(std::string_view text, std::size_t at) {
  const std::size_t size = utf8_sequence(text.substr(at));
  return size == 1 ? 0 : size;
}

std::string WordCipher::permute(std::string_view domain, std::string_view word) {
  Symbols symbols;
  std::string rest;  // what is no symbol; it chooses the permutation
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (is_lower(word[i]) || is_digit(word[i])) {
      symbols.places.push_back(i);
      symbols.values += static_cast<char>(is_digit(word[i]) ? word[i] - '0' : word[i] - 'a');
      rest += is_digit(word[i]) ? '\1' : '\2';
    } else {
      rest += word[i];
    }
  }
  std::string result(word);
  if (word.size() > kLongest) {
    // Without s and vowels, so that no word with a meaning is in it.
    constexpr std::string_view kConsonants = "bcdfghjklmnpqrtv";
    HashStream stream(hash_, hash_.of({"long", domain, word}));
    for (std::size_t i = 0; i < symbols.places.size(); ++i) {
      const bool digit = is_digit(word[symbols.places[i]]);
      const char letter = kConsonants[stream.octet() % kConsonants.size()];
      const auto value = digit ? static_cast<int>(stream.below(10)) : letter - 'a';
      symbols.values[i] = static_cast<char>(value);
    }
  }
  const std::size_t half = (symbols.values.size() + 1) / 2;
  const std::string_view values = symbols.values;
  const char rounds = word.size() > kLongest ? 0 : kRounds;
  for (char round = 0; round < rounds && !symbols.values.empty(); ++round) {
    const bool left = round % 2 == 0;
    const std::string_view key_half = left ? values.substr(half) : values.substr(0, half);
    const char number[] = {round};
    HashStream stream(hash_,
                      hash_.of({"word", domain, rest, std::string_view(number, 1), key_half}));
    for (std::size_t i = left ? 0 : half; i < (left ? half : values.size()); ++i) {
      const std::uint32_t radix = radix_at(word, symbols.places[i]);
      const auto value = static_cast<std::uint8_t>(symbols.values[i]);
      symbols.values[i] = static_cast<char>((value + stream.below(radix)) % radix);
    }
  }
  for (std::size_t i = 0; i < symbols.places.size(); ++i) {
    const std::size_t place = symbols.places[i];
    result[place] = static_cast<char>((is_digit(word[place]) ? '0' : 'a') + symbols.values[i]);
  }

  // Characters beyond ASCII, and octets that are none: of the first as many octets, of the second
  // those that never stand in UTF-8 (0xF8 and above), so that what was no UTF-8 is none again.
  if (std::ranges::all_of(word, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
    return result;
  }
  HashStream stream(hash_, hash_.of({"letters", domain, word}));
  for (std::size_t i = 0; i < word.size();) {
    if (static_cast<unsigned char>(word[i]) < 0x80) {
      ++i;
    } else if (const std::size_t size = utf8_character(word, i); size > 0) {
      result.replace(i, size, other_letters(size, stream));
      i += size;
    } else {
      result[i++] = static_cast<char>(0xf8 + stream.below(7));
    }
  }
  return result;
}

}  // namespace smtpscope
