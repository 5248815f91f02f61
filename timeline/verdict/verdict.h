#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "parser/capabilities.h"
#include "timeline/event.h"
#include "timeline/rule_engine.h"
#include "timeline/state/session_state.h"
#include "timeline/verdict/transaction_tally.h"

namespace smtpscope {

class RuleSet;

/// More transactions than this are summarised by outcome.
inline constexpr std::size_t kTalliedTransactions = 8;

/// The end of a session in plain words, for somebody who has never read RFC 5321. The first line is
/// a sentence that can be forwarded as it is: what became of the mail, and why. Behind it what
/// proves that, what to do, what it is not. The why is that of the cause that weighs most
/// (timeline/causes/). `tallies` holds the first kTalliedTransactions transactions; `offered` is
/// what EHLO offers.
std::vector<VerdictLine> verdict(const SessionState& state, const SessionTotals& totals,
                                 std::span<const TransactionTally> tallies,
                                 const Capabilities& offered, const RuleEngine& findings,
                                 const RuleSet& rules);

}  // namespace smtpscope
