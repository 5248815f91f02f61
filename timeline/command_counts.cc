#include "timeline/command_counts.h"

#include <algorithm>
#include <string>
#include <utility>

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
    std::string name(count.verb == Verb::kUnknown ? "unknown" : to_string(count.verb));
    std::ranges::transform(name, name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    totals.commands.emplace_back(std::move(name), std::pair(count.accepted, count.sent));
  }
  std::ranges::sort(totals.commands);
}

}  // namespace smtpscope
