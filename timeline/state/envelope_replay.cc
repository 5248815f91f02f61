#include "timeline/state/envelope_replay.h"

namespace smtpscope {

bool replays(const Transaction& again, const TransactionSummary& first) {
  if (again.rcpt_accepted + again.rcpt_refused != again.rcpt_sent) return false;
  if (first.aborted_by != AbortedBy::kRset || first.data_verb != Verb::kUnknown) return false;
  // A recipient refused the first time makes it an ordinary retry.
  if (first.rcpt_accepted == 0 || first.rcpt_accepted != first.rcpt_sent) return false;
  return again.rcpt_sent == first.rcpt_sent && again.envelope_hash == first.envelope_hash;
}

}  // namespace smtpscope
