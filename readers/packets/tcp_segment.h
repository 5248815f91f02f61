#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "readers/packets/ip_packet.h"

namespace smtpscope {

/// A TCP segment (RFC 9293 3.1), as far as a reader of streams wants it. A view.
struct TcpSegment {
  IpAddress source, destination;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledged = 0;  // only if `ack`
  bool syn = false;
  bool ack = false;
  bool fin = false;
  bool rst = false;
  std::span<const std::uint8_t> payload;
  std::uint32_t cut = 0;  // octets of the payload that were not captured
};

/// Empty when the packet holds no TCP, or less than its header.
std::optional<TcpSegment> open_tcp(const IpPacket& packet);

}  // namespace smtpscope
