#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace smtpscope {

/// An enhanced status code (RFC 3463 2): class "." subject "." detail.
struct EnhancedCode {
  std::uint16_t status_class = 0;  // 2, 4 or 5
  std::uint16_t subject = 0;       // up to three digits
  std::uint16_t detail = 0;        // up to three digits

  bool operator==(const EnhancedCode&) const = default;
};

/// The code at the beginning of a reply's text (RFC 2034 4), followed by white space or nothing.
std::optional<EnhancedCode> enhanced_code(std::string_view text);

}  // namespace smtpscope
