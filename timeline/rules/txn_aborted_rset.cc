#include <fmt/format.h>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace {

void evaluate(RuleContext& context) {
  const Transaction& txn = *context.ended();
  if (txn.aborted_by != AbortedBy::kRset || txn.data_sent) return;
  const PendingExchange* rset = context.answered();
  if (rset == nullptr) return;

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
    finding.entries.insert(finding.entries.begin() + 1, txn.refusal_entry);
  } else if (txn.rcpt_sent == 0) {
    finding.variant = "mail-only";
    finding.severity = Severity::kInfo;
    finding.text = "RSET right after MAIL: no recipient was named, nothing was lost";
  } else if (txn.rcpt_accepted > 0) {
    finding.text = fmt::format(
        "the client side dropped {} accepted recipient{} with RSET, {} after MAIL; no message was "
        "sent, nothing was delivered",
        txn.rcpt_accepted, txn.rcpt_accepted == 1 ? "" : "s", duration_text(age));
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

const Rule kTxnAbortedRset = {
    .id = "txn-aborted-rset",
    .category = Category::kTransaction,
    .severity = Severity::kNotice,
    .fault = Fault::kClient,
    .title = "RSET dropped a transaction whose recipients had been accepted",
    .means =
        "The server had agreed to take a message for at least one recipient. Instead of sending "
        "it, the client side said RSET, which makes the server forget sender and recipients. "
        "Nothing was delivered.\n"
        "Likely causes, the likeliest first: something between the program and the wire, such as "
        "the mail shield of a security suite, keeps the connection busy while it scans the message "
        "(the same envelope then comes again: txn-replayed-after-rset); somebody only asks whether "
        "an address exists (callout-probe); the program wants all recipients or none; it could "
        "not read or sign the message and cleaned up; a monitoring check.\n"
        "To tell them apart, see what follows on the connection, and look into the client's own "
        "log: if it shows no RSET, another program sent it.\n"
        "Variant after-reject: a refusal came first and this is ordinary tidying up. Variant "
        "mail-only: no recipient was named yet.",
    .caveats =
        "If RSET was pipelined behind RCPT, the client never saw that the recipients were "
        "accepted (attribute pipelined). Address verification ends in RSET on purpose.",
    .reference = "RFC 5321 4.1.1.5, 4.1.4, App. D.2",
    .triggers = kOnTransactionEnd,
    .evaluate = evaluate,
};

}  // namespace smtpscope
