#include "readers/packets/tcp_segment.h"

#include "readers/packets/byte_order.h"

namespace smtpscope {
namespace {

constexpr std::size_t kHeader = 20;

enum Flag : std::uint8_t { kFin = 0x01, kSyn = 0x02, kRst = 0x04, kAck = 0x10 };

}  // namespace

std::optional<TcpSegment> open_tcp(const IpPacket& packet) {
  const std::span<const std::uint8_t> octets = packet.payload;
  if (packet.protocol != kProtocolTcp || octets.size() < kHeader) return std::nullopt;
  const std::size_t header = std::size_t{octets[12]} / 16 * 4;
  const std::size_t length = octets.size() + packet.cut;
  if (header < kHeader || header > length) return std::nullopt;

  TcpSegment segment;
  segment.source = packet.source;
  segment.destination = packet.destination;
  segment.source_port = net16(octets, 0);
  segment.destination_port = net16(octets, 2);
  segment.sequence = net32(octets, 4);
  segment.acknowledged = net32(octets, 8);
  const std::uint8_t flags = octets[13];
  segment.syn = (flags & kSyn) != 0;
  segment.ack = (flags & kAck) != 0;
  segment.fin = (flags & kFin) != 0;
  segment.rst = (flags & kRst) != 0;
  if (octets.size() > header) {
    segment.payload = octets.subspan(header);
    segment.cut = packet.cut;
  } else {
    // Cut inside the options, or right behind them.
    segment.cut = static_cast<std::uint32_t>(length - header);
  }
  return segment;
}

}  // namespace smtpscope
