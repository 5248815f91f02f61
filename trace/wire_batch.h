#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <vector>

#include "capture/wire_event.h"
#include "trace/batch_memory.h"

namespace smtpscope {

/// Wire events of a recording in order, with all that they point to: what goes from the thread that
/// reads to the next. Unlike EventBlock it takes any event that a file can hold, and may grow. Not
/// thread-safe.
class WireBatch {
 public:
  void add(const WireEvent& event);
  void clear();

  std::span<const WireEvent> events() const { return events_; }
  bool empty() const { return events_.empty(); }
  /// Memory in use, about.
  std::size_t octets() const { return memory_.used() + events_.size() * sizeof(WireEvent); }

 private:
  void keep(Bytes& bytes);

  std::vector<WireEvent> events_;
  BatchMemory memory_;
  std::deque<std::vector<FurtherPart>> further_;  // rare
};

}  // namespace smtpscope
