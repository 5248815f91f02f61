#include <fmt/format.h>

#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
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
  } else if (ended->rcpt_sent == 0) {
    finding.severity = Severity::kInfo;
    finding.variant = "mail-only";
    finding.text = "the client side named a sender, then ended the session without a recipient";
  } else if (ended->rcpt_accepted > 0) {
    finding.text = fmt::format(
        "the client side ended the session although {} {} accepted; no message was sent",
        ended->rcpt_accepted, ended->rcpt_accepted == 1 ? "recipient was" : "recipients were");
  } else {
    return;
  }
  context.fire(std::move(finding));
}

}  // namespace

const Rule kTxnAbortedQuit = {
    .id = "txn-aborted-quit",
    .category = Category::kTransaction,
    .severity = Severity::kNotice,
    .fault = Fault::kClient,
    .title = "The client said QUIT after the server had accepted recipients",
    .means =
        "The server was ready to take the message, but the client ended the session instead. "
        "Nothing was delivered.\n"
        "Likely causes, in order: a check whether the address exists; one of several recipients "
        "was refused and the client wanted all or none; the client could not produce the "
        "message (unreadable file, signing failed); a monitoring probe.",
    .caveats =
        "With the null sender and one recipient this is the shape of an address check; see "
        "callout-probe.",
    .reference = "RFC 5321 4.1.1.10",
    .triggers = kOnTransactionEnd,
    .evaluate = evaluate,
};

}  // namespace smtpscope
