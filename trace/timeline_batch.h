#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <vector>

#include "parser/item.h"
#include "timeline/event.h"
#include "timeline/state/refusal_notes.h"
#include "timeline/state/transaction.h"
#include "trace/batch_memory.h"

namespace smtpscope {

/// Timeline events in order, with all that they point to but what lives as long as the program
/// (rules, ids): what goes from the thread that makes timelines to the one that writes them down.
/// Not thread-safe.
class TimelineBatch {
 public:
  void add(const TimelineEvent& event);
  void clear();

  std::span<const TimelineEvent> events() const { return events_; }
  /// Memory in use, about.
  std::size_t octets() const {
    return memory_.used() + events_.size() * (sizeof(TimelineEvent) + kBehindEvent);
  }

 private:
  /// What events hold beside, more or less: the words of findings, recipients.
  static constexpr std::size_t kBehindEvent = 256;

  class Keep;

  std::vector<TimelineEvent> events_;
  BatchMemory memory_;
  std::deque<TlsMessages> tls_messages_;
  std::deque<RefusedReply> refusals_;
  std::deque<Transaction> transactions_;
  std::deque<SessionTotals> totals_;
  std::deque<std::vector<VerdictLine>> verdicts_;
  std::vector<ReplyLine> lines_;  // of the reply that is being added
};

}  // namespace smtpscope
