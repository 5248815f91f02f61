#include <fmt/format.h>

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
        "the client side dropped {} accepted recipient{} with RSET, {} after MAIL; no message was "
        "sent, nothing was delivered",
        txn.rcpt_accepted, txn.rcpt_accepted == 1 ? "" : "s", context.measured(age));
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
    .title = "RSET dropped a transaction whose recipients had been accepted",
    .means =
        "The server had agreed to take a message for at least one recipient. Instead of sending "
        "it, the client side said RSET, which makes the server forget sender and recipients. "
        "Nothing was delivered.\n"
        "Variant after-reject: something had been refused before, and this is ordinary tidying up; "
        "the refusal is what to look at. Variant mail-only: no recipient had been named yet.",
    .causes =
        "A program between the application and the wire, such as the mail shield of a security "
        "suite, keeps the server waiting while it scans the message. The same envelope then comes "
        "again: txn-replayed-after-rset.\n"
        "Somebody only asked whether an address exists: callout-probe.\n"
        "The program wants all of its recipients or none, and one was refused.\n"
        "The program could not read, build or sign the message, and cleaned up.\n"
        "A monitoring check that never meant to send anything.",
    .tell_apart =
        "Look at what follows on the connection. The same envelope again speaks for something in "
        "between; QUIT after a null sender (MAIL FROM:<>) for an address check; nothing at all for "
        "a failure in the program. Then read the program's own log: if it shows no RSET, another "
        "program sent it.",
    .advice =
        "See whether the message went out later in the same trace; then nothing is lost.\n"
        "Read the log of the sending program at this moment for an error about the message.\n"
        "Repeat with the mail scanning of the client host switched off, or over a port that it "
        "does "
        "not watch.",
    .caveats =
        "If RSET was sent before the replies to RCPT were in, the client did not know that it "
        "dropped accepted recipients (attribute pipelined). Address verification ends in RSET by "
        "design.",
    .reference = "RFC 5321 4.1.1.5, 4.1.4, App. D.2; RFC 2920 3.1",
    .triggers = kOnTransactionEnd,
    .only = kCutShort,
    .evaluate = txn_aborted_rset::evaluate,
};

}  // namespace smtpscope
