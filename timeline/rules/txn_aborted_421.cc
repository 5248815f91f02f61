#include <fmt/format.h>

#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace {

void evaluate(RuleContext& context) {
  const Transaction* ended = context.ended();
  if (!ended->opened() || ended->aborted_by != AbortedBy::k421) return;
  Finding finding = context.finding();
  finding.text =
      fmt::format("the server ended the session ({}) in the middle of the transaction; it is void",
                  context.session().hangup_code);
  finding.entries = {ended->first_entry, context.session().hangup_entry};
  finding.attributes = {{"accepted", std::to_string(ended->rcpt_accepted)}};
  context.fire(std::move(finding));
}

}  // namespace

const Rule kTxnAborted421 = {
    .id = "txn-aborted-421",
    .category = Category::kTransaction,
    .severity = Severity::kWarning,
    .fault = Fault::kServer,
    .title = "The server ended the session (421) in the middle of a transaction",
    .means =
        "421 says that the server is closing the connection; the transaction is void. The text "
        "of the reply usually names the reason: too many errors or connections, a timeout, lack "
        "of resources, shutting down.\n"
        "The client has to try again later, in a new session.",
    .caveats =
        "Some servers answer 421 to a single recipient and mean \"come back later\"; the close "
        "that follows makes it count for the whole session.",
    .reference = "RFC 5321 3.8, 4.3.2",
    .triggers = kOnTransactionEnd,
    .evaluate = evaluate,
};

}  // namespace smtpscope
