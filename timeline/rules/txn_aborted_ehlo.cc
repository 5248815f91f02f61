#include <fmt/format.h>

#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace {

void evaluate(RuleContext& context) {
  const Transaction* ended = context.ended();
  if (!ended->opened() || ended->aborted_by != AbortedBy::kHello) return;
  Finding finding = context.finding();
  finding.text = fmt::format(
      "a new greeting by the client side threw the open transaction away: {} accepted {} dropped, "
      "no message sent",
      ended->rcpt_accepted, ended->rcpt_accepted == 1 ? "recipient" : "recipients");
  finding.entries = {ended->first_entry, ended->last_entry};
  finding.attributes = {{"accepted", std::to_string(ended->rcpt_accepted)}};
  context.fire(std::move(finding));
}

}  // namespace

const Rule kTxnAbortedEhlo = {
    .id = "txn-aborted-ehlo",
    .category = Category::kTransaction,
    .severity = Severity::kNotice,
    .fault = Fault::kClient,
    .title = "A new EHLO or HELO threw away an open transaction",
    .means =
        "An accepted EHLO or HELO works like RSET: the sender and the recipients given before "
        "are gone. Clients do this when they read the capabilities again, or when two layers "
        "greet independently of each other.\n"
        "Look for a second program on the client side, and for a client that greets again after "
        "an error.",
    .caveats =
        "Greeting again after STARTTLS, AUTH with a security layer or XCLIENT is right; no "
        "transaction is open then.",
    .reference = "RFC 5321 4.1.4",
    .triggers = kOnTransactionEnd,
    .evaluate = evaluate,
};

}  // namespace smtpscope
