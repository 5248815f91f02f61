#pragma once

#include <string>

#include "timeline/event.h"
#include "timeline/state/session_state.h"
#include "timeline/verdict/transaction_tally.h"

namespace smtpscope {

/// What became of a message, as a sentence behind "message 1 ".
std::string fate(const TransactionTally& message);
/// The same as the beginning of a sentence that says why: "refused", "never sent".
std::string fate_in_short(const TransactionTally& message);

/// "10 messages: 9 delivered, 1 refused".
std::string by_outcome(const SessionTotals& totals);

/// Why there is no message, as far as no cause says so.
std::string without_message(const SessionState& state);

}  // namespace smtpscope
