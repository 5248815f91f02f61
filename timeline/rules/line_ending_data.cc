#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace line_ending_data {
namespace {

/// RFC 3030 2 and RFC 6152: a body of this kind is text, with CR LF at its line ends, in BDAT too.
bool is_declared_text(const Transaction& txn) {
  using Body = DeclaredMessage::Body;
  return txn.declared.body == Body::kSevenBit || txn.declared.body == Body::kEightBit;
}

/// "3 LF without CR (the first behind 120 octets)".
void tell(std::string_view what, std::string_view key, std::uint64_t count, std::uint64_t first_end,
          std::uint64_t width, Finding& finding) {
  if (count == 0) return;
  finding.text += fmt::format("{}{} {}", finding.text.empty() ? "" : ", ", count, what);
  finding.attributes.emplace_back(key, std::to_string(count));
  if (first_end < width) return;
  finding.text += fmt::format(" (the first after {} octets)", first_end - width);
  finding.attributes.emplace_back(fmt::format("{}_offset", key), std::to_string(first_end - width));
}

void evaluate(RuleContext& context) {
  const Transaction& txn = *context.ended();
  const MessageFacts& facts = txn.facts;
  if (facts.bare_lf == 0 && facts.bare_cr == 0 && facts.cr_cr_lf == 0) return;
  if (txn.data_entry == 0 || txn.mixed_data) return;
  const bool chunked = txn.data_verb != Verb::kData;
  if (chunked && !is_declared_text(txn)) return;

  Finding finding = context.finding();
  finding.entries = {txn.data_entry};
  finding.time = txn.data_began;
  tell("LF without CR", "bare_lf", facts.bare_lf, facts.first_bare_lf_end, 1, finding);
  // CR CR LF has a bare CR too, counted among them.
  const std::uint64_t lone_cr = facts.bare_cr - std::min(facts.bare_cr, facts.cr_cr_lf);
  tell("CR without LF", "bare_cr", lone_cr, facts.first_bare_cr_end, 1, finding);
  tell("CR CR LF", "cr_cr_lf", facts.cr_cr_lf, facts.first_cr_cr_lf_end, 3, finding);
  finding.text = "the lines of the message do not all end with CR LF: " + finding.text;
  const auto is_there = [](std::uint32_t count) { return count > 0; };
  if (chunked) {
    finding.severity = Severity::kNotice;
  } else if (std::ranges::any_of(facts.candidates, is_there)) {
    finding.severity = Severity::kError;
    finding.text += "; one is beside a lone dot, which some servers take for the end";
  }
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace line_ending_data

const Rule kLineEndingData = {
    .id = "line-ending-data",
    .category = Category::kSyntax,
    .severity = Severity::kWarning,
    .fault = Fault::kClient,
    .needs = kNeedsContent | kNeedsOctets,
    .triggers = kOnTransactionEnd,
    .evaluate = line_ending_data::evaluate,
};

}  // namespace smtpscope
