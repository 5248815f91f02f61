#pragma once

#include <cstdint>

#include "timeline/state/transaction.h"

namespace smtpscope {

/// What the verdict needs of a transaction.
struct TransactionTally {
  std::uint64_t number = 0;
  std::uint64_t octets = 0;    // message size
  std::uint64_t declared = 0;  // SIZE= of MAIL; 0: none
  bool unseen = false;         // and the size is not known, if `octets` is 0
  std::uint64_t rcpt_sent = 0;
  std::uint64_t rcpt_accepted = 0;
  std::uint64_t delivered = 0;      // recipients whose message was accepted
  std::uint64_t refusal_entry = 0;  // of the reply that decided; 0: nothing was refused
  std::uint16_t final_code = 0;
  std::uint16_t refusal_code = 0;
  Outcome outcome = Outcome::kOpen;
  AbortedBy aborted_by = AbortedBy::kNothing;
  Time data_ended;
  bool mail_refused = false;
  bool data_began = false;   // octets of the message were sent
  bool data_sent = false;    // all of them
  bool undelivered = false;  // its final reply came when the client was gone

  static TransactionTally of(const Transaction& transaction);
};

}  // namespace smtpscope
