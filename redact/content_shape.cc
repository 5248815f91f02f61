#include "redact/content_shape.h"

#include "base/ascii.h"
#include "redact/word_cipher.h"

namespace smtpscope {
namespace {

/// A bit at a time.
class Bits {
 public:
  Bits(KeyedHash& hash, std::string_view text) : stream_(hash, hash.of({"shape", text})) {}

  bool next() {
    if (left_ == 0) {
      octet_ = stream_.octet();
      left_ = 8;
    }
    --left_;
    return (octet_ >> left_ & 1) != 0;
  }

 private:
  HashStream stream_;
  std::uint8_t octet_ = 0;
  int left_ = 0;
};

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

}  // namespace

std::string shape_of(KeyedHash& hash, std::string_view text) {
  std::string shape(text);
  Bits bits(hash, text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_letter(c)) {
      const char letter = bits.next() ? 'x' : 'o';
      shape[i] = c == upper(c) ? upper(letter) : letter;
    } else if (is_digit(c)) {
      shape[i] = bits.next() ? '9' : '0';
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      const std::size_t size = utf8_character(text, i);
      const std::string_view other = beyond_ascii(size, bits.next());
      shape.replace(i, other.size(), other);
      i += other.size() - 1;
    }
  }
  return shape;
}

}  // namespace smtpscope
