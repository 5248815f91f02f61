#pragma once

#include <cstdint>
#include <optional>

#include "parser/octet_cursor.h"

namespace smtpscope {

/// Goes through the elements of a DER encoding, one level at a time (X.690 8.1, 10.1), as far as
/// certificates need it: tags of one octet, definite lengths. Lengths are never trusted: an element
/// that reaches beyond the octets ends the reading. A view: the octets have to outlive it.
class DerReader {
 public:
  enum Tag : std::uint8_t {
    kBoolean = 0x01,
    kInteger = 0x02,
    kBitString = 0x03,
    kOctetString = 0x04,
    kObjectId = 0x06,
    kBmpString = 0x1e,
    kUtcTime = 0x17,
    kGeneralizedTime = 0x18,
    kSequence = 0x30,
    kSet = 0x31,
  };

  struct Element {
    std::uint8_t tag = 0;
    Octets content;
    Octets whole;  // with tag and length
  };

  explicit DerReader(Octets octets) : left_(octets) {}

  /// The next element; nothing at the end, and at the first that is not well-formed.
  std::optional<Element> next();
  /// The next element's content if its tag is this one. What has another tag stays.
  std::optional<Octets> next(std::uint8_t tag);

 private:
  Octets left_;
};

}  // namespace smtpscope
