#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace txn_aborted_disconnect {
namespace {

struct Phase {
  std::string_view name;
  std::string in_words;
  bool in_message = false;
};

/// How far the transaction had come. (How many octets a BDAT chunk still lacked is told by
/// bdat-size-mismatch.)
Phase phase_of(const Transaction& ended) {
  if (ended.data_sent) return {"eod", "after the end of the message, before its reply", true};
  if (ended.data_verb == Verb::kBdat) {
    return {"bdat", fmt::format("between BDAT chunks, after {} octets", ended.facts.octets), true};
  }
  // DATA was answered 354 (RFC 5321 3.3): the client was sending the message.
  if (ended.data_code / 100 == 3) {
    return {"data", fmt::format("inside the message, after {} octets", ended.facts.octets), true};
  }
  if (ended.rcpt_sent > 0) return {"rcpt", "after RCPT"};
  return {"mail", "after MAIL"};
}

void evaluate(RuleContext& context) {
  const Transaction* ended = context.ended();
  if (!ended->opened() || ended->aborted_by != AbortedBy::kClientClose) return;
  // Rules 2.0.3: closes first, and not because the server said that it would (RFC 5321 3.8).
  if (context.session().hangup_code != 0) return;
  // What the server has accepted is no longer under way, even if it was less than announced.
  if (ended->finals_accepted > 0) return;
  Finding finding = context.finding();
  const Phase phase = phase_of(*ended);
  finding.text =
      fmt::format("the client side closed the connection {}{}", phase.in_words,
                  ended->data_sent ? "" : ", without QUIT; nothing of it may be delivered");
  if (ended->refusal_code != 0) {
    finding.variant = "after-reject";
    finding.text += fmt::format(" (a {} came before)", ended->refusal_code);
    finding.entries.push_back(ended->refusal_entry);
  }
  finding.entries.push_back(ended->first_entry);
  finding.attributes = {{"phase", std::string(phase.name)},
                        {"accepted", std::to_string(ended->rcpt_accepted)}};
  if (phase.in_message) {
    finding.attributes.emplace_back("octets", std::to_string(ended->facts.octets));
  }
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace txn_aborted_disconnect

const Rule kTxnAbortedDisconnect = {
    .id = "txn-aborted-disconnect",
    .category = Category::kTransaction,
    .severity = Severity::kWarning,
    .fault = Fault::kClient,
    .uses = kNeedsCloseKind,
    .triggers = kOnTransactionEnd,
    .only = kCutShort,
    .evaluate = txn_aborted_disconnect::evaluate,
};

}  // namespace smtpscope
