#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/side.h"
#include "base/time.h"
#include "timeline/state/owed.h"

namespace smtpscope {

/// Measures the waits between what happens on the wire, and who kept whom waiting. Every wait
/// counts for the idle sums, also the ones too short to be told. Not thread-safe.
class SilenceWatch {
 public:
  struct Wait {
    Time from, to;
    Party party = Party::kUnknown;
    std::string_view owed;
    std::optional<std::uint64_t> message_octets;  // as of Silence
    Duration length() const { return to - from; }
  };

  /// From here on `owed` is what is waited for.
  void expect(Owed owed, std::optional<std::uint64_t> message_octets) {
    owed_ = owed;
    message_octets_ = message_octets;
  }
  /// Something came over the wire: the wait ends, and the next one begins.
  Wait end(Time now);
  /// The wait that lasts until now.
  Wait lasting(Time now) const;
  /// The proxy did not run.
  void proxy_stalled(Time since, Time until);
  /// `to` did not read what was sent to it.
  void blocked(Side to, Time since, Time until);

  /// All waits for `party` together.
  Duration idle(Party party) const { return idle_[static_cast<std::size_t>(party)]; }

 private:
  /// How much of [since, until) lies in the current wait.
  Duration within(Time since, Time until) const;

  Time from_;
  bool began_ = false;
  Owed owed_{Party::kProxy, {}};
  std::optional<std::uint64_t> message_octets_;
  Duration stalled_{};
  std::array<Duration, 2> blocked_{};  // by index(Side)
  std::array<Duration, 4> idle_{};     // by Party
};

}  // namespace smtpscope
