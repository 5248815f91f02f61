#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace smtpscope {

/// What the parameters of MAIL say of the message to come. A value.
struct DeclaredMessage {
  enum class Body : std::uint8_t {
    kNone,
    kSevenBit,    // RFC 6152 2
    kEightBit,    // likewise
    kBinaryMime,  // RFC 3030 3
    kOther
  };

  std::optional<std::uint64_t> size;  // SIZE (RFC 1870 6), octets
  Body body = Body::kNone;
  bool utf8 = false;  // SMTPUTF8 (RFC 6531 3.4)
  bool plain = true;  // nothing but these, each once and as its RFC has it
};

/// Reads them; the first of several that contradict each other counts.
DeclaredMessage read_declared_message(std::string_view mail_parameters);

}  // namespace smtpscope
