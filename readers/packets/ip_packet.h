#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace smtpscope {

/// An IPv4 or IPv6 address. A value.
struct IpAddress {
  std::array<std::uint8_t, 16> octets{};  // IPv4: the first four
  bool v6 = false;

  // clang-tidy 14 takes what it is made of for a null pointer.
  auto operator<=>(const IpAddress&) const = default;  // NOLINT(modernize-use-nullptr)
};

/// "192.0.2.1:25", "[2001:db8::1]:25".
std::string endpoint_text(const IpAddress& address, std::uint16_t port);

inline constexpr std::uint8_t kProtocolTcp = 6;

/// An IP packet, extension headers passed. The payload is a view into the caller's octets.
struct IpPacket {
  IpAddress source, destination;
  std::uint8_t protocol = 0;              // of the payload
  std::span<const std::uint8_t> payload;  // padding left out
  std::uint32_t cut = 0;                  // octets of the payload that were not captured

  // Of a fragment (RFC 791 3.2, RFC 8200 4.5).
  bool fragment = false;
  bool more_fragments = false;
  std::uint32_t fragment_id = 0;
  std::uint32_t fragment_offset = 0;  // in octets
};

/// Empty when it is cut before its payload, or no IP packet at all. Checksums are not looked at:
/// where the network card computes them, captures hold packets without.
std::optional<IpPacket> open_ip(std::span<const std::uint8_t> octets);

}  // namespace smtpscope
