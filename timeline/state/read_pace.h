#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/time.h"
#include "timeline/event.h"

namespace smtpscope {

// What the times of the reads that carried an entry tell about the program that wrote it. Reads
// stand for TCP segments here: a tracer that runs behind its peers may see two of them as one.

/// How long receivers hold back an acknowledgement in the hope of a reply to send it with (RFC
/// 1122 4.2.3.2 allows half a second). Nagle's algorithm (RFC 896) makes a sender of small pieces
/// wait just so long.
enum class AckDelay : std::uint8_t { k40ms, k100ms, k200ms };

/// A segment this small may be held back (RFC 896): what fits into an Ethernet frame.
inline constexpr std::uint64_t kFullSegment = 1460;

/// The pause between two reads looks like a delayed acknowledgement; both must be small.
std::optional<AckDelay> ack_delay(const ReadPiece& before, const ReadPiece& after);

/// The stalls of that kind among reads that follow each other.
struct AckStalls {
  std::size_t count = 0;
  std::size_t first = 0;  // the first one lies before the read of this number, from 0
  Duration length{};      // of the first one
  AckDelay delay = AckDelay::k40ms;
};
AckStalls ack_stalls(std::span<const ReadPiece> reads);

/// The final dot came alone, after everything else of its message.
struct DotPause {
  Duration pause{};  // from the last content octet to the dot
  /// The same from before the stall that a delayed acknowledgement put before the last content:
  /// when the program had written it. Equal to `pause` if there was none.
  Duration since_written{};
};
/// Of a complete message (mail data); empty if its dot came together with content.
std::optional<DotPause> dot_pause(const Entry& entry);

}  // namespace smtpscope
