#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace reply_multiline_code_mismatch {
namespace {

/// The codes in their order, equal neighbours once: "250, 550". Lines without a code are
/// reply-malformed.
std::string codes_of(const Reply& reply) {
  constexpr int kShown = 6;
  std::string text;
  int shown = 0;
  std::uint16_t before = 0;
  for (const ReplyLine& line : reply.lines) {
    if (line.code == 0 || line.code == before) continue;
    if (shown++ == kShown) return text + ", ...";
    text += fmt::format("{}{}", text.empty() ? "" : ", ", line.code);
    before = line.code;
  }
  return text;
}

void evaluate(RuleContext& context) {
  const Reply& reply = *context.reply();
  if (!reply.codes_differ) return;
  Finding finding = context.finding();
  const std::string codes = codes_of(reply);
  // A server that is shutting down may break off what it was saying.
  if (reply.code == 421 || reply.code == 521) {
    finding.variant = "hangup";
    finding.text = fmt::format(
        "the server broke off a reply to end the session: its lines carry the codes {}", codes);
  } else {
    finding.text = fmt::format(
        "the lines of one reply carry different codes ({}); most clients take the last one, {}",
        codes, reply.code);
  }
  finding.attributes = {{"codes", codes}, {"effective", std::to_string(reply.code)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace reply_multiline_code_mismatch

const Rule kReplyMultilineCodeMismatch = {
    .id = "reply-multiline-code-mismatch",
    .category = Category::kServer,
    .severity = Severity::kError,
    .fault = Fault::kServer,
    .needs = kNeedsReplyLines,
    .triggers = kOnReply,
    .only = kOddLine,
    .evaluate = reply_multiline_code_mismatch::evaluate,
};

}  // namespace smtpscope
