#include <fmt/format.h>

#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace txn_aborted_quit {
namespace {

void evaluate(RuleContext& context) {
  const Transaction* ended = context.ended();
  if (!ended->opened() || ended->aborted_by != AbortedBy::kQuit || ended->data_sent) return;
  Finding finding = context.finding();
  finding.entries = {ended->first_entry, ended->last_entry};
  finding.attributes = {{"accepted", std::to_string(ended->rcpt_accepted)},
                        {"refused", std::to_string(ended->rcpt_refused)}};
  if (ended->refusal_code != 0) {
    finding.severity = Severity::kInfo;
    finding.fault = Fault::kServer;
    finding.variant = "after-reject";
    finding.text =
        fmt::format("the client side ended the session after a refusal ({})", ended->refusal_code);
    finding.attributes.emplace_back("code", std::to_string(ended->refusal_code));
    finding.entries.push_back(ended->refusal_entry);
  } else if (ended->rcpt_sent == 0) {
    finding.severity = Severity::kInfo;
    finding.variant = "mail-only";
    finding.text = "the client side named a sender, then ended the session without a recipient";
  } else if (ended->rcpt_accepted > 0) {
    finding.text = fmt::format(
        "the client side ended the session although {} {} accepted; {}", ended->rcpt_accepted,
        ended->rcpt_accepted == 1 ? "recipient was" : "recipients were",
        ended->data_verb == Verb::kUnknown ? "no message was sent"
                                           : "the message was sent only in part");
  } else {
    return;  // replies to RCPT are missing from the trace: nothing is proven
  }
  // With replies outstanding when QUIT was sent, the client could not know that it dropped a yes.
  const PendingExchange* quit = context.answered();
  if (quit != nullptr && quit->verb == Verb::kQuit && quit->pending_before > 0) {
    finding.attributes.emplace_back("pipelined", "true");
    finding.text += " (QUIT was sent before the replies were in)";
  }
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace txn_aborted_quit

const Rule kTxnAbortedQuit = {
    .id = "txn-aborted-quit",
    .category = Category::kTransaction,
    .severity = Severity::kNotice,
    .fault = Fault::kClient,
    .title = "The client said QUIT after the server had accepted recipients",
    .means =
        "The server was ready to take the message, but the client side ended the session instead. "
        "Nothing was delivered.\n"
        "Variant after-reject: something had been refused before, and ending the session is an "
        "ordinary reaction. Variant mail-only: no recipient had been named yet.",
    .causes =
        "A check whether the address exists: callout-probe.\n"
        "One of several recipients was refused, and the client wanted all or none.\n"
        "The client could not read, build or sign the message.\n"
        "A monitoring check that goes as far as RCPT.",
    .tell_apart =
        "A null sender (MAIL FROM:<>) and one recipient speak for an address check; the same "
        "client, sender and hour every time for monitoring; a refusal in the same transaction for "
        "all or none. What remains is a failure in the program, and its log tells.",
    .advice =
        "Read the log of the sending program for an error about the message.\n"
        "If a recipient was refused, set that right first.\n"
        "If it is monitoring or an address check, there is nothing to do.",
    .caveats =
        "With the null sender and one recipient this is the shape of an address check, and shown "
        "as callout-probe. If QUIT was sent before the replies were in (attribute pipelined), the "
        "client did not know that it dropped accepted recipients.",
    .reference = "RFC 5321 4.1.1.10",
    .triggers = kOnTransactionEnd,
    .only = kCutShort,
    .evaluate = txn_aborted_quit::evaluate,
};

}  // namespace smtpscope
