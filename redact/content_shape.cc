#include "redact/content_shape.h"

#include <algorithm>

#include "base/ascii.h"
#include "parser/verb.h"
#include "redact/pseudonyms.h"
#include "redact/word_cipher.h"

namespace smtpscope {
namespace {

/// Below that, letters drawn at random could make one of two texts that differ; so they are
/// permuted. Each letter of longer ones is one of sixteen.
constexpr std::ptrdiff_t kFewLetters = 16;
constexpr std::string_view kLetters = "bcdfghjklmnpqrtv";

std::string_view beyond_ascii(std::size_t octets, bool one) {
  switch (octets) {
    case 2:
      return one ? "\xd0\xb6" : "\xd1\x8f";  // U+0436, U+044F
    case 3:
      return one ? "\xe4\xb8\x80" : "\xe4\xb8\x89";  // U+4E00, U+4E09
    case 4:
      return one ? "\xf0\xa0\x80\x80" : "\xf0\xa0\x80\x81";  // U+20000, U+20001
    default:
      return one ? "\xf8" : "\xf9";  // no UTF-8, as before
  }
}

std::string drawn(KeyedHash& hash, std::string_view text, char attempt) {
  HashStream stream(hash, hash.of({"shape", text, std::string_view(&attempt, 1)}));
  std::string shape(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_letter(c)) {
      const char letter = kLetters[stream.octet() % kLetters.size()];
      shape[i] = c == upper(c) ? upper(letter) : letter;
    } else if (is_digit(c)) {
      shape[i] = static_cast<char>('0' + stream.below(10));
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      const std::string_view other = beyond_ascii(utf8_character(text, i), stream.octet() % 2 == 0);
      shape.replace(i, other.size(), other);
      i += other.size() - 1;
    }
  }
  return shape;
}

/// No word of it could be taken for something.
bool says_nothing(const Pseudonyms& names, std::string_view shape) {
  if (names.holds_known(shape)) return false;
  const auto in_word = [](char c) {
    return is_alphanumeric(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
  };
  while (!shape.empty()) {
    const auto end =
        static_cast<std::size_t>(std::ranges::find_if_not(shape, in_word) - shape.begin());
    const std::string_view word = shape.substr(0, end);
    if (verb_of(word) != Verb::kUnknown) return false;
    shape.remove_prefix(std::max<std::size_t>(end, 1));
  }
  return true;
}

}  // namespace

std::string shape_of(Pseudonyms& names, std::string_view text) {
  if (std::ranges::count_if(text, is_alphanumeric) <= kFewLetters) {
    WordCipher cipher(names.hash());
    std::string shape = cipher.permute("shape", in_lower_case(text));
    for (int step = 0; step < 100 && !says_nothing(names, shape); ++step) {
      shape = cipher.permute("shape", shape);
    }
    return with_case_of(text, shape);
  }
  std::string shape;
  for (char attempt = 0; attempt < 100; ++attempt) {
    shape = drawn(names.hash(), text, attempt);
    if (says_nothing(names, shape)) break;
  }
  return shape;
}

}  // namespace smtpscope
