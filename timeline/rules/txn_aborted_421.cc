#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace txn_aborted_421 {
namespace {

void evaluate(RuleContext& context) {
  const Transaction* ended = context.ended();
  if (!ended->opened() || ended->aborted_by != AbortedBy::k421) return;
  Finding finding = context.finding();
  const std::uint16_t code = context.session().hangup_code;
  // Its text is the diagnosis.
  std::string_view said;
  if (const Reply* reply = context.reply(); reply != nullptr && !reply->lines.empty()) {
    said = reply->lines.back().text;
  }
  finding.text = fmt::format(
      "the server ended the session (\"{} {}\") in the middle of the transaction; it is void", code,
      said);
  finding.entries = {ended->first_entry, context.session().hangup_entry};
  finding.attributes = {{"code", std::to_string(code)},
                        {"accepted", std::to_string(ended->rcpt_accepted)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace txn_aborted_421

const Rule kTxnAborted421 = {
    .id = "txn-aborted-421",
    .category = Category::kTransaction,
    .severity = Severity::kWarning,
    .fault = Fault::kServer,
    .title = "The server ended the session (421) in the middle of a transaction",
    .means =
        "With 421 a server says that it is closing the connection. The transaction that was under "
        "way is void and nothing of it was delivered. The code is temporary: the client should "
        "come again later, in a new session; one without a queue has lost the mail.",
    .causes =
        "Too many errors or commands without mail in this session.\n"
        "Too many connections or messages from this client in a short time.\n"
        "The server waited too long for the client: a timeout.\n"
        "The server is short of memory or disk, or is being shut down.",
    .tell_apart =
        "The text of the 421 usually names the reason. Look at what came right before: a "
        "row of errors, a long silence, many sessions at once, or nothing unusual, which "
        "leaves the server's own state.",
    .advice =
        "Read the text of the reply, and the server's log at this moment.\n"
        "Let the client try again later; make sure that it has a queue.\n"
        "If the text speaks of limits, spread the mail over time or have the limit raised.",
    .caveats =
        "Some servers answer 421 to a single recipient and mean \"come back later\"; the close "
        "that must follow makes it count for the whole session.",
    .reference = "RFC 5321 3.8, 4.3.2",
    .triggers = kOnTransactionEnd,
    .only = kCutShort,
    .evaluate = txn_aborted_421::evaluate,
};

}  // namespace smtpscope
