#pragma once

#include <cstdint>
#include <vector>

#include "parser/verb.h"
#include "timeline/event.h"

namespace smtpscope {

/// Counts commands by verb, sent and accepted, for a session's footer. A session uses few
/// different verbs, so they are found by looking through a short list. Not thread-safe.
class CommandCounts {
 public:
  void sent(Verb verb);
  void accepted(Verb verb);
  /// Into the totals, under the verbs' names in lower case ("unknown" for unknown ones).
  void put_into(SessionTotals& totals) const;

 private:
  struct Count {
    std::uint64_t accepted = 0;
    std::uint64_t sent = 0;
    Verb verb = Verb::kUnknown;
  };
  Count& of(Verb verb);

  std::vector<Count> counts_;
};

}  // namespace smtpscope
