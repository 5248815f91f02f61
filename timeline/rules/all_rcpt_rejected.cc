#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace all_rcpt_rejected {
namespace {

/// Of the recipients alone: what DATA is answered to after them is a consequence.
bool all_temporary(const Transaction& ended) {
  if (ended.rcpt_sent > ended.recipients.size() && !ended.temporary_only) return false;
  return std::ranges::all_of(ended.recipients,
                             [](const Recipient& each) { return each.code / 100 == 4; });
}

/// "550, 550, 451": what the recipients were answered, as far as one wants to read it.
std::string codes_of(const Transaction& ended) {
  constexpr std::size_t kShown = 8;
  std::string codes;
  for (std::size_t i = 0; i < std::min(ended.recipients.size(), kShown); ++i) {
    codes += fmt::format("{}{}", i == 0 ? "" : ", ", ended.recipients[i].code);
  }
  if (ended.rcpt_sent > kShown) codes += ", ...";
  return codes;
}

void evaluate(RuleContext& context) {
  const Transaction* ended = context.ended();
  if (ended->rcpt_sent == 0 || ended->rcpt_refused != ended->rcpt_sent) return;
  Finding finding = context.finding();
  const bool temporary = all_temporary(*ended);
  if (temporary) finding.variant = "temporary";
  finding.text =
      fmt::format("the server refused {}{}; the first answer was \"{} {}\"",
                  ended->rcpt_sent == 1 ? std::string("the only recipient")
                                        : fmt::format("all {} recipients", ended->rcpt_sent),
                  temporary ? " for now" : "", ended->refusal_code, ended->refusal_text);
  finding.entries = {ended->first_entry, ended->refusal_entry};
  finding.attributes = {{"refused", std::to_string(ended->rcpt_refused)},
                        {"code", std::to_string(ended->refusal_code)},
                        {"codes", codes_of(*ended)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace all_rcpt_rejected

const Rule kAllRcptRejected = {
    .id = "all-rcpt-rejected",
    .category = Category::kTransaction,
    .severity = Severity::kNotice,
    .fault = Fault::kServer,
    .triggers = kOnTransactionEnd,
    .evaluate = all_rcpt_rejected::evaluate,
};

}  // namespace smtpscope
