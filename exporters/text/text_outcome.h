#pragma once

#include <string>
#include <vector>

#include "capture/wire_event.h"
#include "timeline/event.h"

namespace smtpscope {

/// "accepted", "aborted by RSET", "rejected".
std::string outcome_words(const Transaction& transaction);

/// What the outcome meant for recipients and message, each part led in by ", ". May quote the
/// wire.
std::string outcome_details(const Transaction& transaction);

/// What is missing, of whom, and why.
std::string gap_words(const Gap& gap);
/// "client logs: Timeout (30 secs) waiting for server response"
std::string remark_words(const Remark& remark);

/// The footer of a session: counts as Postfix logs them ("rcpt=1/2": 1 of 2 accepted), who kept
/// whom waiting, octets, outcomes, duration.
std::vector<std::string> totals_words(const SessionTotals& totals, const Fidelity& fidelity,
                                      bool in_short);

}  // namespace smtpscope
