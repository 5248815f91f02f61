#pragma once

#include <string>
#include <string_view>

#include "redact/keyed_hash.h"

namespace smtpscope {

/// `text`, which has as many letters in lower case, with the capitals of `original`: position by
/// position if both are of one length, else all capitals or a first one.
std::string with_case_of(std::string_view original, std::string_view text);

/// An octet that is none of ASCII's.
constexpr bool is_beyond_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }

/// Octets of the UTF-8 character at `at` (RFC 3629 4); 0 where there is none, or only ASCII.
std::size_t utf8_character(std::string_view text, std::size_t at);

/// A keyed permutation of the words of one shape: letters stay letters, digits digits, everything
/// else stays itself. So lengths and forms are kept, and two words never become the same one (but
/// for characters beyond ASCII, of which only the number of octets is kept). It is the Feistel
/// network of NIST SP 800-38G, with digits added one by one; its round function is the keyed hash,
/// and on that the secrecy rests. What is longer than kLongest is no word: it is drawn, not
/// permuted.
class WordCipher {
 public:
  static constexpr std::size_t kLongest = 256;

  explicit WordCipher(KeyedHash& hash) : hash_(hash) {}

  /// Of `word` in lower case. Words of another `domain` are permuted differently.
  std::string permute(std::string_view domain, std::string_view word);

 private:
  KeyedHash& hash_;
};

}  // namespace smtpscope
