#include <fmt/format.h>

#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace {

/// How far the transaction had come, in words.
std::string phase_of(const Transaction& ended) {
  if (ended.data_sent) return "after the end of the message, before its reply";
  if (ended.data_verb == Verb::kBdat) {
    return fmt::format("between BDAT chunks, after {} octets", ended.facts.octets);
  }
  // DATA was answered 354 (RFC 5321 3.3): the client was sending the message.
  if (ended.data_code / 100 == 3) {
    return fmt::format("inside the message, after {} octets", ended.facts.octets);
  }
  if (ended.rcpt_sent > 0) return "after RCPT";
  return "after MAIL";
}

void evaluate(RuleContext& context) {
  const Transaction* ended = context.ended();
  if (!ended->opened() || ended->aborted_by != AbortedBy::kClientClose) return;
  Finding finding = context.finding();
  const std::string phase = phase_of(*ended);
  finding.text = fmt::format(
      "the client side closed the connection {}, without QUIT; nothing of it may be "
      "delivered",
      phase);
  if (ended->data_sent) {
    finding.text = fmt::format("the client side closed the connection {}", phase);
  }
  if (ended->rcpt_refused > 0 && ended->rcpt_accepted == 0) finding.variant = "after-reject";
  finding.entries = {ended->first_entry};
  finding.attributes = {{"phase", phase}, {"accepted", std::to_string(ended->rcpt_accepted)}};
  context.fire(std::move(finding));
}

}  // namespace

const Rule kTxnAbortedDisconnect = {
    .id = "txn-aborted-disconnect",
    .category = Category::kTransaction,
    .severity = Severity::kWarning,
    .fault = Fault::kClient,
    .title = "The client closed the connection in the middle of a transaction",
    .means =
        "The client side closed the connection without QUIT while a transaction was open. "
        "Nothing of it may be delivered.\n"
        "Likely causes, in order: the program ended or crashed; it treats any refusal as fatal "
        "and simply closes (small send-only programs do); the user cancelled. If it happened "
        "inside the message, compare the number of octets with the size of the message.",
    .caveats =
        "Some mail servers that only verify an address disconnect without ceremony after DATA "
        "was accepted.",
    .reference = "RFC 5321 3.8, 4.1.1.10",
    .triggers = kOnTransactionEnd,
    .evaluate = evaluate,
};

}  // namespace smtpscope
