#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "timeline/event.h"
#include "timeline/rule_engine.h"
#include "timeline/session_state.h"
#include "timeline/transaction.h"

namespace smtpscope {

/// What the verdict needs of a transaction.
struct TransactionTally {
  std::uint64_t number = 0;
  std::uint64_t octets = 0;  // message size
  bool unseen = false;       // and the size is not known, if `octets` is 0
  std::uint64_t rcpt_sent = 0;
  std::uint64_t rcpt_accepted = 0;
  std::uint64_t delivered = 0;  // recipients whose message was accepted
  std::string refusal_text;     // the server's words, their beginning
  std::uint16_t final_code = 0;
  std::uint16_t refusal_code = 0;
  Outcome outcome = Outcome::kOpen;
  AbortedBy aborted_by = AbortedBy::kNothing;
  bool data_began = false;   // octets of the message were sent
  bool data_sent = false;    // all of them
  bool undelivered = false;  // its final reply came when the client was gone

  static TransactionTally of(const Transaction& transaction);
};

/// More transactions than this are summarised by outcome.
inline constexpr std::size_t kTalliedTransactions = 8;

/// The end of a session in plain words, for somebody who has never read RFC 5321: what became of
/// each message; what went wrong, on which side, how sure that is, what to check next, what it is
/// not. `tallies` holds the first kTalliedTransactions transactions.
std::vector<VerdictLine> verdict(const SessionState& state, const SessionTotals& totals,
                                 std::span<const TransactionTally> tallies,
                                 const RuleEngine& findings);

}  // namespace smtpscope
