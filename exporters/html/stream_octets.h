#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/side.h"
#include "capture/wire_event.h"

namespace smtpscope {

/// The octets of one session as the page shows them: where in a side's stream they lie, which were
/// masked, and which are not there. Bounded. Not thread-safe.
class StreamOctets {
 public:
  /// Of one session: enough for every dialogue and the beginning of its messages.
  static constexpr std::size_t kMost = 256 * 1024;

  /// A read, credentials masked, of which at most `room` octets are kept. Gives how many were.
  std::size_t add(const Bytes& bytes, std::size_t room);
  /// Octets of a side that nobody saw.
  void skip(const Gap& gap);
  /// Records of the kind "octets", a line each; what they hold is forgotten, but counts for kMost.
  std::string take(SessionId session);

 private:
  struct Stretch {
    Side from = Side::kClient;
    std::uint64_t at = 0;  // in the stream of that side
    std::string octets;
    std::vector<Masked> masked;  // offsets in `octets`
  };

  void append(Side from, std::span<const std::uint8_t> octets, std::span<const Masked> masked,
              std::size_t read_offset);

  std::array<std::uint64_t, 2> received_{};  // by index(Side)
  std::vector<Stretch> stretches_;
  std::size_t kept_ = 0;
  std::size_t most_ = 0;  // that `kept_` may come to by the read that is being added
};

}  // namespace smtpscope
