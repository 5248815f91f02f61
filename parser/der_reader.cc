#include "parser/der_reader.h"

namespace smtpscope {

std::optional<DerReader::Element> DerReader::next() {
  constexpr std::uint8_t kLongTag = 0x1f;
  constexpr std::uint8_t kLongLength = 0x80;
  constexpr std::size_t kMostLengthOctets = 3;  // of an element inside a TLS message

  if (left_.size() < 2 || (left_[0] & kLongTag) == kLongTag) {
    left_ = {};
    return std::nullopt;
  }
  std::size_t head = 2;
  std::size_t length = left_[1];
  if (length >= kLongLength) {
    const std::size_t octets = length - kLongLength;
    if (octets == 0 || octets > kMostLengthOctets || left_.size() < head + octets) {
      left_ = {};
      return std::nullopt;
    }
    length = 0;
    for (std::size_t i = 0; i < octets; ++i) length = length << 8 | left_[head + i];
    head += octets;
  }
  if (length > left_.size() - head) {
    left_ = {};
    return std::nullopt;
  }
  const Element element{left_[0], left_.subspan(head, length), left_.first(head + length)};
  left_ = left_.subspan(head + length);
  return element;
}

std::optional<Octets> DerReader::next(std::uint8_t tag) {
  if (left_.empty() || left_[0] != tag) return std::nullopt;
  const std::optional<Element> element = next();
  if (!element) return std::nullopt;
  return element->content;
}

}  // namespace smtpscope
