#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/time.h"

namespace smtpscope {

/// What a trace cannot know, as bits. A proxy knows all of it; what a program has logged does not.
/// The values go into no file: their names do.
enum Unknown : std::uint16_t {
  kUnknownOctets = 1 << 0,      // line ends, blanks, octets that are not printable
  kUnknownReads = 1 << 1,       // when each read came and what was in it
  kUnknownContent = 1 << 2,     // the messages
  kUnknownCloses = 1 << 3,      // FIN or reset
  kUnknownReplyLines = 1 << 4,  // lines of a reply before its last
  kUnknownTimes = 1 << 5,       // any time at all
};
inline constexpr std::size_t kUnknowns = 6;
/// Of the bits, from the lowest, in captures and JSON. A name never changes its meaning.
inline constexpr std::array<std::string_view, kUnknowns> kUnknownNames = {
    "octets", "reads", "content", "closes", "reply_lines", "times"};

/// How well a session's trace tells what happened. Of a proxy's own session everything is known.
struct Fidelity {
  std::uint16_t unknown = 0;  // Unknown bits
  /// Times are rounded down to a multiple of it; zero: they are exact.
  Duration resolution{};
  /// What is inside TLS is told in the clear: the trace is an endpoint's own.
  bool inside_tls = false;

  bool operator==(const Fidelity&) const = default;
};

}  // namespace smtpscope
