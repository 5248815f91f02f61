#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "capture/kept_octets.h"
#include "capture/wire_event.h"
#include "parser/stream_range.h"

namespace smtpscope {

/// A wire event that owns what its views point to, so that it can outlive the call that handed it
/// over. Movable, not copyable. Not thread-safe.
class EventCopy {
 public:
  explicit EventCopy(const WireEvent& original);
  EventCopy(EventCopy&&) noexcept = default;
  EventCopy& operator=(EventCopy&&) noexcept = default;

  const WireEvent& event() const { return event_; }

  /// Overwrites what is here of the `secrets` with '#', and notes it as masked. They are in order
  /// and do not overlap. The event must hold Bytes, the first of which is at stream offset `at`.
  /// With `spare_line_ends`, CR and LF stay: they tell lines apart and are never credentials.
  void mask(std::uint64_t at, std::span<const StreamRange> secrets, bool spare_line_ends = false);

  /// Memory in use, in octets.
  std::size_t size() const;

 private:
  void mask_present(std::size_t offset, std::size_t end, bool spare_line_ends);
  void join_masks();

  WireEvent event_;
  KeptOctets storage_;  // Bytes: all octets that are here, joined, then `instead`, `scenario`;
                        // texts otherwise
  std::vector<Masked> masks_;
  std::vector<FurtherPart> further_;
};

}  // namespace smtpscope
