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
    .title = "The lines of one reply carry different codes",
    .means =
        "A reply may have several lines, but all must carry the same code. Where they differ, "
        "programs disagree about what was said: some take the last line, some the first, some "
        "see two replies and are then one reply off for the rest of the session. A recipient or "
        "a message may so be taken for accepted that was refused, or the other way round.",
    .causes =
        "Two replies glued together by a server, a filter or a proxy that lost the last line of "
        "the first.\n"
        "A reply put together by a script or a policy service that only sets the code of one "
        "line.\n"
        "A server that shuts down in the middle of a reply (then the last line is a 421).",
    .tell_apart =
        "Read the texts: if they belong to different commands, two replies were joined; if they "
        "are one sentence, the code was changed on one line only. Record on the server host to "
        "see whether the server itself said it.",
    .advice =
        "Look which filter, policy service or reply table produces that text and correct its "
        "codes.\n"
        "Take proxies out of the path one by one.",
    .caveats =
        "A 421 as the last line may come from a server that is being shut down; the reply that "
        "it cut off then never mattered.",
    .reference = "RFC 5321 4.2.1",
    .needs = kNeedsReplyLines,
    .triggers = kOnReply,
    .only = kOddLine,
    .evaluate = reply_multiline_code_mismatch::evaluate,
};

}  // namespace smtpscope
