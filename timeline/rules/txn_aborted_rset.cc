#include <fmt/format.h>

#include "base/counted.h"
#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace txn_aborted_rset {
namespace {

// The catalogue also wants to know what follows the RSET. That lies in the future when this is
// told; txn-replayed-after-rset and rset-repeated say it when it comes, and fold this under them.
void evaluate(RuleContext& context) {
  const Transaction& txn = *context.ended();
  if (txn.aborted_by != AbortedBy::kRset || !txn.opened() || txn.data_sent) return;
  const PendingExchange* rset = context.answered();
  if (rset == nullptr) return;
  // Chunks that were accepted and then thrown away are the business of bdat-misuse.
  if (txn.data_verb != Verb::kUnknown && txn.refusal_code == 0) return;

  Finding finding = context.finding();
  finding.entries = {txn.first_entry, rset->entry, context.entry()->number};
  finding.time = rset->first;
  const Duration age = rset->first - txn.began;
  finding.attributes = {{"accepted", std::to_string(txn.rcpt_accepted)},
                        {"rejected", std::to_string(txn.rcpt_refused)},
                        {"age", seconds_text(age)}};

  if (txn.refusal_code != 0) {
    // RFC 5321 App. D.2 shows just this; the headline is the refusal, not the tidying up.
    finding.variant = "after-reject";
    finding.severity = Severity::kInfo;
    finding.fault = Fault::kServer;
    finding.text = fmt::format("the client side gave the transaction up with RSET after a {}",
                               txn.refusal_code);
    finding.attributes.emplace_back("code", std::to_string(txn.refusal_code));
    finding.entries.push_back(txn.refusal_entry);
  } else if (txn.rcpt_sent == 0) {
    finding.variant = "mail-only";
    finding.severity = Severity::kInfo;
    finding.text = "RSET right after MAIL: no recipient was named, nothing was lost";
  } else if (txn.rcpt_accepted > 0) {
    finding.text = fmt::format(
        "{} dropped with RSET {} after MAIL; the server had accepted {}, no message was sent",
        counted(txn.rcpt_accepted, "recipient"), context.measured(age),
        txn.rcpt_accepted == 1 ? "it" : "them");
  } else {
    return;  // replies to RCPT are missing from the trace: nothing is proven
  }
  // With replies outstanding when RSET was sent, the client could not know that it dropped a yes.
  if (rset->pending_before > 0) {
    finding.attributes.emplace_back("pipelined", "true");
    finding.text += " (RSET was sent before the replies were in)";
  }
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace txn_aborted_rset

const Rule kTxnAbortedRset = {
    .id = "txn-aborted-rset",
    .category = Category::kTransaction,
    .severity = Severity::kNotice,
    .fault = Fault::kClient,
    .triggers = kOnTransactionEnd,
    .only = kCutShort,
    .evaluate = txn_aborted_rset::evaluate,
};

}  // namespace smtpscope
