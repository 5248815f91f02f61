#include "timeline/state/command_counts.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/ascii.h"

namespace smtpscope {

CommandCounts::Count& CommandCounts::of(Verb verb) {
  for (Count& count : counts_) {
    if (count.verb == verb) return count;
  }
  return counts_.emplace_back(Count{.verb = verb});
}

void CommandCounts::sent(Verb verb) { ++of(verb).sent; }
void CommandCounts::accepted(Verb verb) { ++of(verb).accepted; }

void CommandCounts::put_into(SessionTotals& totals) const {
  totals.commands.reserve(counts_.size());
  for (const Count& count : counts_) {
    const bool known = count.verb != Verb::kUnknown;
    totals.commands.emplace_back(known ? in_lower_case(to_string(count.verb)) : "unknown",
                                 std::pair(count.accepted, count.sent));
  }
  std::ranges::sort(totals.commands);
}

}  // namespace smtpscope
