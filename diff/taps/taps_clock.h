#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "base/time.h"

namespace smtpscope {

/// How far the clock near the server is ahead of the clock near the client.
struct ClockOffset {
  Duration offset{};
  Duration uncertainty{};  // it may be so much more or less
  bool known = false;
};

/// What one exchange, passed on both ways, says of the offset: the command cannot have arrived
/// before it was sent, nor can the reply (RFC 5905 8 rests on the same).
struct OffsetSample {
  Duration least{};  // arrivals of the reply: near the server - near the client
  Duration most{};   // arrivals of the command: near the server - near the client
};

/// The offset that most samples allow (Marzullo's algorithm, as in RFC 5905 11.2.1): what answers
/// in the place of the server gives samples that contradict the others, and is outvoted. Of several
/// such ranges the one nearest to 0. `agreeing`, if not nullptr, becomes the number of samples that
/// allow it.
ClockOffset offset_of(std::span<const OffsetSample> samples, std::size_t* agreeing = nullptr);

/// The offset during a run. Not more than two clocks that each go evenly are assumed: where they
/// drift apart no one offset fits all sessions, and each has its own.
class TapsClock {
 public:
  /// The samples of each dialogue, in order of time.
  static TapsClock make(const std::vector<std::vector<OffsetSample>>& dialogues);

  /// Of the i-th dialogue; where its own samples say nothing, that of the nearest that do.
  ClockOffset of(std::size_t dialogue) const { return offsets_[dialogue]; }
  /// Of the whole run; the first dialogue's where the clocks drift.
  const ClockOffset& whole() const { return whole_; }
  /// By how much the offset grew during the run; empty where one fits all.
  std::optional<Duration> drift() const { return drift_; }

 private:
  ClockOffset whole_;
  std::vector<ClockOffset> offsets_;
  std::optional<Duration> drift_;
};

}  // namespace smtpscope
