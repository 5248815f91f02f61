#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "capture/octet_source.h"

namespace smtpscope {

enum class Utf16Order : std::uint8_t { kLittleEndian, kBigEndian };

/// The octets begin with the byte order mark of UTF-16 (RFC 2781 3.2), as PowerShell's ">" and
/// Notepad's "Unicode" write it; empty when they do not.
std::optional<Utf16Order> utf16_order(std::span<const std::uint8_t> octets);

/// Text in UTF-16 as UTF-8, without its mark. Half a pair of surrogates becomes U+FFFD. Not
/// thread-safe.
class Utf16Octets : public OctetSource {
 public:
  Utf16Octets(std::unique_ptr<OctetSource> wide, Utf16Order order)
      : wide_(std::move(wide)), order_(order) {}

  Result<std::size_t> read(std::span<std::uint8_t> room) override;

 private:
  void take(std::uint16_t unit);

  std::unique_ptr<OctetSource> wide_;
  Utf16Order order_;
  std::optional<std::uint8_t> odd_;         // the first octet of a unit
  std::optional<std::uint16_t> surrogate_;  // the first of a pair
  std::string ready_;
};

}  // namespace smtpscope
