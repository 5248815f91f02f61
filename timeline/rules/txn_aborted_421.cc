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
    .triggers = kOnTransactionEnd,
    .only = kCutShort,
    .evaluate = txn_aborted_421::evaluate,
};

}  // namespace smtpscope
