#include <fmt/format.h>

#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace txn_aborted_ehlo {
namespace {

void evaluate(RuleContext& context) {
  const Transaction* ended = context.ended();
  if (!ended->opened() || ended->aborted_by != AbortedBy::kHello || ended->data_sent) return;
  Finding finding = context.finding();
  finding.entries = {ended->first_entry, ended->last_entry};
  finding.attributes = {{"accepted", std::to_string(ended->rcpt_accepted)},
                        {"refused", std::to_string(ended->rcpt_refused)}};
  if (ended->refusal_code != 0) {
    // As with RSET and QUIT: the refusal is the headline.
    finding.severity = Severity::kInfo;
    finding.fault = Fault::kServer;
    finding.variant = "after-reject";
    finding.text =
        fmt::format("the client side greeted again after a {}, which ended the transaction",
                    ended->refusal_code);
  } else {
    finding.text = fmt::format(
        "a new greeting by the client side threw the open transaction away: {}, no message sent",
        ended->rcpt_accepted == 0 ? std::string("no recipient was accepted yet")
        : ended->rcpt_accepted == 1
            ? std::string("1 accepted recipient dropped")
            : fmt::format("{} accepted recipients dropped", ended->rcpt_accepted));
  }
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace txn_aborted_ehlo

const Rule kTxnAbortedEhlo = {
    .id = "txn-aborted-ehlo",
    .category = Category::kTransaction,
    .severity = Severity::kNotice,
    .fault = Fault::kClient,
    .title = "A new EHLO or HELO threw away an open transaction",
    .means =
        "An accepted EHLO or HELO works like RSET: the sender and the recipients given before are "
        "gone, and nothing was delivered. If the client did not mean that, it will now get errors, "
        "because the server has forgotten the envelope.\n"
        "Variant after-reject: something had been refused before; the refusal is what to look at.",
    .causes =
        "Two layers that greet without knowing of each other: a proxy or scanner and the client.\n"
        "A client that reads the server's list of extensions again.\n"
        "A client that begins from the start after an error.",
    .tell_apart =
        "Compare the names in the two greetings: different names mean two programs. A refusal "
        "right before the second greeting speaks for a client that starts over.",
    .advice =
        "Compare the names that the two greetings gave.\n"
        "Read the client's own log: how many greetings does it know of?\n"
        "Look for a proxy or a scanner on the way.",
    .caveats =
        "Greeting again after STARTTLS, AUTH or XCLIENT is right, but no transaction is open then. "
        "A refused EHLO leaves the transaction as it was, and is not reported.",
    .reference = "RFC 5321 4.1.4",
    .triggers = kOnTransactionEnd,
    .only = kCutShort,
    .evaluate = txn_aborted_ehlo::evaluate,
};

}  // namespace smtpscope
