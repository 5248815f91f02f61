#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/counted.h"
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
        ended->rcpt_accepted == 0
            ? std::string("no recipient was accepted yet")
            : counted(ended->rcpt_accepted, "accepted recipient") + " dropped");
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
    .triggers = kOnTransactionEnd,
    .only = kCutShort,
    .evaluate = txn_aborted_ehlo::evaluate,
};

}  // namespace smtpscope
