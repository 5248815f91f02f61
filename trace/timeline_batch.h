#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "parser/item.h"
#include "timeline/event.h"
#include "timeline/state/refusal_notes.h"
#include "timeline/state/transaction.h"
#include "trace/batch_memory.h"
#include "trace/reused_objects.h"

namespace smtpscope {

/// Timeline events in order, with all that they point to but what lives as long as the program
/// (rules, ids): what goes from the thread that makes timelines to the one that writes them down.
/// Not thread-safe.
class TimelineBatch {
 public:
  void add(const TimelineEvent& event);
  void clear();

  /// The events in the order in which they were added, one at each call; valid until the next.
  const TimelineEvent& next();
  /// Memory in use, about.
  std::size_t octets() const {
    return memory_.used() + events_.size() * (sizeof(TimelineEvent) + kBehindEvent);
  }

 private:
  /// What events hold beside, more or less: transactions, the words of findings.
  static constexpr std::size_t kBehindEvent = 64;

  class Keep;
  /// An Item takes the room of the largest body, which is that of a message; most are lines.
  struct PackedItem {
    Side side = Side::kClient;
    std::uint8_t kind = 0;  // index of the body's type in ItemBody
    std::uint64_t begin = 0, end = 0;
    std::uint64_t secret_begin = 0, secret_end = 0;
    const std::byte* body = nullptr;
  };

  std::vector<TimelineEvent> events_;
  std::vector<PackedItem> items_;  // of the entries among them, in order
  BatchMemory memory_;
  ReusedObjects<TlsMessages> tls_messages_;
  ReusedObjects<RefusedReply> refusals_;
  ReusedObjects<Transaction> transactions_;
  ReusedObjects<SessionTotals> totals_;
  ReusedObjects<std::vector<VerdictLine>> verdicts_;
  std::vector<ReplyLine> lines_;  // of the reply that is being added
  // What is read.
  std::size_t next_event_ = 0;
  std::size_t next_item_ = 0;
  Item item_;
};

}  // namespace smtpscope
