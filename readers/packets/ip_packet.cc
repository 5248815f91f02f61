#include "readers/packets/ip_packet.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

#include "readers/packets/byte_order.h"

namespace smtpscope {
namespace {

using Octets = std::span<const std::uint8_t>;

constexpr std::size_t kIpv4Header = 20;
constexpr std::size_t kIpv6Header = 40;
/// RFC 8200 4.1 knows seven; a longer chain is made to keep readers busy.
constexpr int kMaxExtensions = 16;

enum Extension : std::uint8_t {
  kHopByHop = 0,
  kRouting = 43,
  kFragment = 44,
  kAuthentication = 51,
  kDestination = 60,
  kMobility = 135,
};

/// What is there of a payload of `length` octets.
void set_payload(IpPacket& packet, Octets captured, std::size_t length) {
  packet.payload = captured.first(std::min(captured.size(), length));
  packet.cut = static_cast<std::uint32_t>(length - packet.payload.size());
}

std::optional<IpPacket> open_ipv4(Octets octets) {
  if (octets.size() < kIpv4Header) return std::nullopt;
  const std::size_t header = std::size_t{octets[0] & 0x0FU} * 4;
  if (header < kIpv4Header || octets.size() < header) return std::nullopt;
  // Linux leaves it 0 where the network card is to cut the packet into pieces.
  const std::uint16_t total = net16(octets, 2);
  const std::size_t length = total == 0 ? octets.size() : total;
  if (length < header) return std::nullopt;

  IpPacket packet;
  std::copy_n(octets.begin() + 12, 4, packet.source.octets.begin());
  std::copy_n(octets.begin() + 16, 4, packet.destination.octets.begin());
  packet.protocol = octets[9];
  const std::uint16_t fragment = net16(octets, 6);
  packet.more_fragments = (fragment & 0x2000) != 0;
  packet.fragment_offset = (fragment & 0x1FFFU) * 8;
  packet.fragment = packet.more_fragments || packet.fragment_offset != 0;
  packet.fragment_id = net16(octets, 4);
  set_payload(packet, octets.subspan(header), length - header);
  return packet;
}

std::optional<IpPacket> open_ipv6(Octets octets) {
  if (octets.size() < kIpv6Header) return std::nullopt;
  IpPacket packet;
  packet.source.v6 = packet.destination.v6 = true;
  std::copy_n(octets.begin() + 8, 16, packet.source.octets.begin());
  std::copy_n(octets.begin() + 24, 16, packet.destination.octets.begin());
  const std::uint16_t declared = net16(octets, 4);
  // 0: a jumbogram (RFC 2675), or left to the network card.
  std::size_t left = declared == 0 ? octets.size() - kIpv6Header : declared;
  Octets rest = octets.subspan(kIpv6Header);
  std::uint8_t next = octets[6];
  for (int i = 0; i < kMaxExtensions; ++i) {
    std::size_t length = 0;
    if (next == kHopByHop || next == kRouting || next == kDestination || next == kMobility) {
      if (rest.size() < 8) return std::nullopt;
      length = (std::size_t{rest[1]} + 1) * 8;
    } else if (next == kAuthentication) {
      if (rest.size() < 8) return std::nullopt;
      length = (std::size_t{rest[1]} + 2) * 4;
    } else if (next == kFragment) {
      if (rest.size() < 8) return std::nullopt;
      length = 8;
      const std::uint16_t fragment = net16(rest, 2);
      packet.more_fragments = (fragment & 1) != 0;
      packet.fragment_offset = fragment & 0xFFF8U;
      packet.fragment = packet.more_fragments || packet.fragment_offset != 0;
      packet.fragment_id = net32(rest, 4);
    } else {
      packet.protocol = next;
      set_payload(packet, rest, left);
      return packet;
    }
    if (rest.size() < length || left < length) return std::nullopt;
    next = rest[0];
    rest = rest.subspan(length);
    left -= length;
    // What stands behind is known of the first fragment only.
    if (packet.fragment_offset != 0) {
      packet.protocol = next;
      set_payload(packet, rest, left);
      return packet;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string endpoint_text(const IpAddress& address, std::uint16_t port) {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(address.v6 ? AF_INET6 : AF_INET, address.octets.data(), text, sizeof text);
  return address.v6 ? fmt::format("[{}]:{}", text, port) : fmt::format("{}:{}", text, port);
}

std::optional<IpPacket> open_ip(Octets octets) {
  if (octets.empty()) return std::nullopt;
  switch (octets[0] >> 4) {
    case 4:
      return open_ipv4(octets);
    case 6:
      return open_ipv6(octets);
    default:
      return std::nullopt;
  }
}

}  // namespace smtpscope
