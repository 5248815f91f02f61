#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/side.h"
#include "base/time.h"
#include "capture/wire_event.h"

namespace smtpscope {

/// What is missing of a session's record, counted until it can be told as gaps.
class Losses {
 public:
  void add(const WireEvent& event) {
    last_ = event.time;
    if (const auto* gap = std::get_if<Gap>(&event.body)) {
      // It counts for what it stood for.
      events_ += gap->events;
      if (gap->from) octets_[index(*gap->from)] += gap->octets;
      return;
    }
    ++events_;
    if (const auto* bytes = std::get_if<Bytes>(&event.body)) {
      octets_[index(bytes->from)] += bytes->octets();
    }
    if (std::holds_alternative<SessionEnded>(event.body)) ended_ = true;
  }
  bool empty() const { return events_ == 0 && octets_[0] == 0 && octets_[1] == 0; }
  /// Of the last event lost.
  Time last() const { return last_; }
  /// The first event was told after all.
  void take_back_one() { --events_; }

  /// Tells the gaps, and the end of the session if it is among what was lost, each to
  /// `tell(const WireEvent&)`. Where that gives false it has no room: the rest stays, for another
  /// time, and false is given.
  template <typename Tell>
  bool tell(SessionId session, std::string_view why, const Tell& tell) {
    // The end of the session is told as such.
    const std::uint64_t ends = ended_ ? 1 : 0;
    for (const Side side : {Side::kClient, Side::kServer}) {
      std::uint64_t& octets = octets_[index(side)];
      if (octets == 0) continue;
      if (!tell(WireEvent{session, last_, Gap{side, octets, events_ - ends, why}})) return false;
      octets = 0;
      events_ = ends;
    }
    if (events_ > ends) {
      const Gap gap{std::nullopt, 0, events_ - ends, why};
      if (!tell(WireEvent{session, last_, gap})) return false;
      events_ = ends;
    }
    if (ended_ && !tell(WireEvent{session, last_, SessionEnded{}})) return false;
    *this = {};
    return true;
  }

 private:
  std::uint64_t events_ = 0;
  std::array<std::uint64_t, 2> octets_{};  // by side
  Time last_;
  bool ended_ = false;
};

}  // namespace smtpscope
