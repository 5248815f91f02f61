#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/counted.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace text_line_too_long {
namespace {

void evaluate(RuleContext& context) {
  const Transaction& txn = *context.ended();
  const MessageFacts& facts = txn.facts;
  if (facts.longest_line <= kLongestTextLine) return;
  if (txn.data_verb != Verb::kData || txn.mixed_data) return;  // BDAT knows no lines

  Finding finding = context.finding();
  finding.entries = {txn.data_entry};
  finding.time = txn.data_began;
  if (facts.longest_line > context.threshold_count(Threshold::kTextLineError)) {
    finding.severity = Severity::kError;
  } else if (facts.longest_line > context.threshold_count(Threshold::kTextLineWarning)) {
    finding.severity = Severity::kWarning;
  }
  finding.text = fmt::format("the longest line of the message has {} octets, {} are allowed",
                             facts.longest_line, kLongestTextLine);
  finding.attributes = {{"longest", std::to_string(facts.longest_line)}};
  if (facts.long_lines > 0) {
    finding.text += fmt::format("; {} over the limit, the first is line {}",
                                counted(facts.long_lines, "line"), facts.first_long_line);
    finding.attributes.emplace_back("lines", std::to_string(facts.long_lines));
    finding.attributes.emplace_back("first", std::to_string(facts.first_long_line));
  }
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace text_line_too_long

const Rule kTextLineTooLong = {
    .id = "text-line-too-long",
    .category = Category::kSyntax,
    .severity = Severity::kNotice,
    .fault = Fault::kClient,
    .needs = kNeedsContent,
    .triggers = kOnTransactionEnd,
    .evaluate = text_line_too_long::evaluate,
};

}  // namespace smtpscope
