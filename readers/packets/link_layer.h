#pragma once

#include <cstdint>
#include <span>

namespace smtpscope {

/// What lies in a frame of a link type (www.tcpdump.org/linktypes.html).
struct Frame {
  enum class Holds : std::uint8_t {
    kIp,
    kOther,    // ARP and the like, or a frame cut before its IP header
    kUnknown,  // the link type is none that we read
  };
  Holds holds = Holds::kOther;
  std::span<const std::uint8_t> ip;  // from the IP header to the end of the frame, padding included
};

/// Reads Ethernet, with VLAN and QinQ tags and PPPoE, Linux "cooked" captures (SLL, SLL2), the
/// loopback of the BSDs, and raw IP.
Frame open_frame(std::uint32_t link, std::span<const std::uint8_t> octets);

}  // namespace smtpscope
