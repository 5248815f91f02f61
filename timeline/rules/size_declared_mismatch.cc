#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "base/counted.h"
#include "parser/enhanced_code.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace size_declared_mismatch {
namespace {

/// What the difference looks like; "" if like nothing in particular.
struct Pattern {
  std::string_view name, words;
};

Pattern pattern_of(std::uint64_t declared, const MessageFacts& facts) {
  if (facts.lines > 0 && declared < facts.octets && facts.octets - declared == facts.lines) {
    return {"line-ends", ", exactly its number of lines: each line end was counted as one octet"};
  }
  if (facts.dot_lines > 0 && declared > facts.octets &&
      declared - facts.octets == facts.dot_lines) {
    return {"dot-stuffing",
            ", exactly its number of lines with a leading dot: the doubled dots were counted"};
  }
  return {};
}

bool refused_for_size(const Transaction& txn) {
  if (txn.final_code == 552) return true;
  const auto code = enhanced_code(txn.final_text);
  return code == EnhancedCode{5, 3, 4};
}

void evaluate(RuleContext& context) {
  const Transaction* ended = context.ended();
  if (!ended->data_sent) return;
  const std::optional<std::uint64_t> declared = ended->declared.size;
  const MessageFacts& facts = ended->facts;
  if (!declared || *declared == facts.octets) return;
  if (context.session().holes > 0) {
    context.not_evaluated("octets are missing from the trace, so the message cannot be measured");
    return;
  }

  const bool more = facts.octets > *declared;
  const std::uint64_t difference = more ? facts.octets - *declared : *declared - facts.octets;
  const std::uint64_t tolerated =
      *declared / 100 * context.threshold_count(Threshold::kSizeShare) +
      *declared % 100 * context.threshold_count(Threshold::kSizeShare) / 100 +
      context.threshold_count(Threshold::kSizeSlack);
  const Pattern pattern = pattern_of(*declared, facts);
  Finding finding = context.finding();
  if (more && refused_for_size(*ended)) {
    finding.severity = Severity::kWarning;
  } else if (more && difference > tolerated) {
    finding.severity = Severity::kNotice;
  }
  finding.text = fmt::format("MAIL announced {} octets, the message has {}: {} {}{}", *declared,
                             facts.octets, difference, more ? "more" : "less", pattern.words);
  if (finding.severity == Severity::kWarning) {
    finding.text += fmt::format("; the server refused it for its size ({})", ended->final_code);
  }
  if (more && pattern.name.empty() && facts.header.scanner_fields > 0) {
    finding.text += fmt::format("; it carries {} that mail scanners add",
                                counted(facts.header.scanner_fields, "header field"));
  }
  finding.entries = {ended->first_entry, ended->data_entry, ended->final_entry};
  finding.attributes = {{"declared", std::to_string(*declared)},
                        {"actual", std::to_string(facts.octets)},
                        {"difference", std::to_string(difference)}};
  if (!pattern.name.empty()) finding.attributes.emplace_back("pattern", pattern.name);
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace size_declared_mismatch

const Rule kSizeDeclaredMismatch = {
    .id = "size-declared-mismatch",
    .category = Category::kExtension,
    .severity = Severity::kInfo,
    .fault = Fault::kClient,
    .needs = kNeedsContent,
    .triggers = kOnTransactionEnd,
    .evaluate = size_declared_mismatch::evaluate,
};

}  // namespace smtpscope
