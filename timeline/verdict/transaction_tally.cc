#include "timeline/verdict/transaction_tally.h"

namespace smtpscope {

TransactionTally TransactionTally::of(const Transaction& transaction) {
  const bool refused_at_end = transaction.final_code / 100 > 3;
  return {.number = transaction.number,
          .octets = transaction.octets(),
          .declared = transaction.declared.size.value_or(0),
          .unseen = transaction.facts.unseen,
          .rcpt_sent = transaction.rcpt_sent,
          .rcpt_accepted = transaction.rcpt_accepted,
          .delivered =
              transaction.finals == 1 ? transaction.rcpt_accepted : transaction.finals_accepted,
          .refusal_entry = refused_at_end ? transaction.final_entry : transaction.refusal_entry,
          .final_code = transaction.final_code,
          .refusal_code =
              transaction.refusal_code != 0 ? transaction.refusal_code : transaction.mail_code,
          .outcome = transaction.outcome,
          .aborted_by = transaction.aborted_by,
          .data_ended = transaction.data_ended,
          .mail_refused = transaction.mail_code / 100 > 3,
          .data_began = transaction.wire_octets > 0 || transaction.facts.octets > 0,
          .data_sent = transaction.data_sent,
          .undelivered = transaction.final_undelivered};
}

}  // namespace smtpscope
