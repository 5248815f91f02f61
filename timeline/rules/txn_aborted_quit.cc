#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/counted.h"
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
    finding.text =
        fmt::format("the client side ended the session although it had {}; {}",
                    counted(ended->rcpt_accepted, "accepted recipient"),
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
    .triggers = kOnTransactionEnd,
    .only = kCutShort,
    .evaluate = txn_aborted_quit::evaluate,
};

}  // namespace smtpscope
