#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <vector>

#include "base/time.h"
#include "readers/packets/ip_packet.h"

namespace smtpscope {

/// Puts fragmented IP packets together again (RFC 791 3.2, RFC 8200 4.5). Where fragments overlap
/// the first that came wins. Bounded; not thread-safe.
class IpDefragmenter {
 public:
  /// Packets put together at a time. SMTP is hardly ever fragmented, and never in great numbers.
  static constexpr std::size_t kMaxPackets = 64;
  /// RFC 8200 4.5: after 60 s the rest does not come any more.
  static constexpr Duration kPatience = std::chrono::seconds(60);

  /// The packet that `fragment` completes; its payload lives until the next call. Empty when more
  /// is to come.
  std::optional<IpPacket> take(const IpPacket& fragment, Time now);

  /// Packets given up because fragments were missing.
  std::uint64_t incomplete() const { return incomplete_ + packets_.size(); }

 private:
  /// An IP packet's length is a 16-bit number.
  static constexpr std::size_t kMaxPayload = 65535;
  /// Islands of octets in a packet; a file that has more was made to keep readers busy.
  static constexpr std::size_t kMaxRanges = 64;

  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  struct Parts {
    IpPacket packet;  // of its first fragment that came; without payload
    Time since;
    std::vector<std::uint8_t> octets;
    std::vector<Range> there;  // in order, apart from each other
    std::optional<std::size_t> size;

    bool add(const IpPacket& fragment);
    bool complete() const {
      return size && there.size() == 1 && there[0].begin == 0 && there[0].end >= *size;
    }
  };

  std::list<Parts> packets_;  // oldest first
  std::vector<std::uint8_t> whole_;
  std::uint64_t incomplete_ = 0;
};

}  // namespace smtpscope
