#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "capture/kept_octets.h"
#include "capture/wire_event.h"

namespace smtpscope {

/// A few passing wire events, kept with what their views point to until they are read in one go.
/// Cheaper than so many EventCopies: the memory is the same for every batch. Not thread-safe.
class EventBatch {
 public:
  /// Events at most.
  static constexpr std::size_t kMostEvents = 64;
  /// Octets at most that the events' views point to, all events together.
  static constexpr std::size_t kMostOctets = 32768;

  EventBatch();
  EventBatch(const EventBatch&) = delete;
  EventBatch& operator=(const EventBatch&) = delete;

  /// Octets that the views of an event point to. An event with octets left out or masked is not
  /// for batches.
  static std::size_t octets_needed(const WireEvent& event);

  /// Adds a copy. False, and nothing done: it has no room.
  bool add(const WireEvent& event);
  /// In the order in which they were added; until the next add() or clear().
  std::span<const WireEvent> events() const { return events_; }
  bool empty() const { return events_.empty(); }
  void clear();

 private:
  std::vector<WireEvent> events_;
  KeptOctets octets_;
};

}  // namespace smtpscope
