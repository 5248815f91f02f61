#include "readers/packets/link_layer.h"

#include "readers/packets/byte_order.h"

namespace smtpscope {
namespace {

using Octets = std::span<const std::uint8_t>;

enum Link : std::uint32_t {
  kNull = 0,
  kEthernet = 1,
  kRawBsd = 12,  // DLT_RAW as some systems wrote it into files
  kRawOpenBsd = 14,
  kRaw = 101,
  kLoop = 108,
  kLinuxSll = 113,
  kIpv4 = 228,
  kIpv6 = 229,
  kLinuxSll2 = 276,
};

enum EtherType : std::uint16_t {
  kTypeIpv4 = 0x0800,
  kTypeIpv6 = 0x86DD,
  kTypeVlan = 0x8100,
  kTypeQinq = 0x88A8,      // IEEE 802.1ad
  kTypeOldQinq1 = 0x9100,  // before the standard
  kTypeOldQinq2 = 0x9200,
  kTypePppoe = 0x8864,
};

/// More tags than any network stacks.
constexpr int kMaxTags = 8;
/// Below this the field is a length, and LLC follows (IEEE 802.3 3.2.6).
constexpr std::uint16_t kFirstType = 0x0600;

Frame ip_in(Octets octets) {
  const std::uint8_t version = octets.empty() ? 0 : octets[0] >> 4;
  if (version != 4 && version != 6) return {};
  return {Frame::Holds::kIp, octets};
}

/// `octets` begins behind the type field.
Frame open_type(std::uint16_t type, Octets octets) {
  for (int tags = 0; tags < kMaxTags; ++tags) {
    const bool tag =
        type == kTypeVlan || type == kTypeQinq || type == kTypeOldQinq1 || type == kTypeOldQinq2;
    if (!tag) break;
    if (octets.size() < 4) return {};
    type = net16(octets, 2);
    octets = octets.subspan(4);
  }
  if (type == kTypeIpv4 || type == kTypeIpv6) return ip_in(octets);
  if (type == kTypePppoe) {  // RFC 2516 4; then the protocol of PPP
    if (octets.size() < 8) return {};
    const std::uint16_t protocol = net16(octets, 6);
    if (protocol == 0x0021 || protocol == 0x0057) return ip_in(octets.subspan(8));
    return {};
  }
  if (type < kFirstType && octets.size() >= 8 && net32(octets, 0) == 0xAAAA0300 &&
      net16(octets, 4) == 0) {  // SNAP (RFC 1042)
    const std::uint16_t inner = net16(octets, 6);
    if (inner == kTypeIpv4 || inner == kTypeIpv6) return ip_in(octets.subspan(8));
  }
  return {};
}

}  // namespace

Frame open_frame(std::uint32_t link, Octets octets) {
  switch (link) {
    case kEthernet:
      if (octets.size() < 14) return {};
      return open_type(net16(octets, 12), octets.subspan(14));
    case kLinuxSll:
      if (octets.size() < 16) return {};
      return open_type(net16(octets, 14), octets.subspan(16));
    case kLinuxSll2:
      if (octets.size() < 20) return {};
      return open_type(net16(octets, 0), octets.subspan(20));
    case kNull:
    case kLoop:
      // The address family in front has another number for IPv6 on each system, in either byte
      // order; the packet says itself what it is.
      if (octets.size() < 4) return {};
      return ip_in(octets.subspan(4));
    case kRaw:
    case kRawBsd:
    case kRawOpenBsd:
    case kIpv4:
    case kIpv6:
      return ip_in(octets);
    default:
      return {Frame::Holds::kUnknown, {}};
  }
}

}  // namespace smtpscope
