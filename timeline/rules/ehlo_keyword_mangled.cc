#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "parser/conversation.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/masked_keyword.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace ehlo_keyword_mangled {
namespace {

/// Once per variant: a second EHLO gets the same reply.
void report(RuleContext& context, std::string_view variant, Certainty certainty, std::string text) {
  if (context.fired(kEhloKeywordMangled, variant) > 0) return;
  Finding finding = context.finding();
  finding.variant = variant;
  finding.certainty = certainty;
  finding.text = std::move(text);
  context.fire(std::move(finding));
}

/// Spelt in a way that RFC 5321 4.1.1.1 does not allow, but by the server itself: Exim offers
/// PIPE_CONNECT, and private keywords (X...) follow no rules.
bool is_known_anyway(std::string_view keyword) {
  const bool is_private = keyword.starts_with('X') || keyword.starts_with('x');
  const bool has_underscores = std::ranges::all_of(
      keyword, [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; });
  return equal_ignoring_case(keyword, "PIPE_CONNECT") || (is_private && has_underscores);
}

void evaluate(RuleContext& context) {
  const Reply& reply = *context.reply();
  const bool hello = context.answers(Verb::kEhlo) || context.answers(Verb::kLhlo);
  if (!hello || reply.first_digit() != 2 || reply.lines.empty() || !reply.complete) return;

  // The usual case, quickly: keywords in every line, and none of them overwritten.
  const Capabilities& offered = context.conversation().capabilities();
  const auto is_masked = [](const Capabilities::Keyword& keyword) {
    return is_masked_keyword(keyword.name());
  };
  const bool fine = offered.all_keywords() && std::ranges::none_of(offered.keywords(), is_masked);
  if (fine && !offered.keywords().empty()) return;

  std::string masked;
  std::string_view unlawful;
  // The first line is the server's name (RFC 5321 4.1.1.1).
  for (const ReplyLine& line : reply.lines.subspan(1)) {
    const std::string_view keyword = keyword_on(line);
    if (keyword.empty()) continue;
    // One or two X might be somebody's private keyword; a lone "*" is no keyword at all.
    if (is_masked_keyword(keyword)) {
      if (masked.size() < kQuoted)
        masked += fmt::format("{}{}", masked.empty() ? "" : ", ", keyword);
    } else if (unlawful.empty() && !is_lawful_keyword(keyword) && !is_known_anyway(keyword)) {
      unlawful = keyword;
    }
  }
  if (!masked.empty()) {
    report(context, "masked", Certainty::kLikely,
           fmt::format("something on the path seems to have overwritten what the server offers: {}",
                       masked));
  }
  if (!unlawful.empty()) {
    report(
        context, "characters", Certainty::kPossible,
        fmt::format("the reply to EHLO offers {}, which cannot be a keyword", in_quotes(unlawful)));
  }
  // A masked greeting that still says ESMTP promises what the empty list takes back.
  const SessionState& session = context.session();
  if (offered.keywords().empty() && masked.empty() && session.server_extended &&
      session.greeting_masked) {
    report(context, "emptied", Certainty::kPossible,
           "the greeting is masked, and the reply to EHLO offers nothing at all");
  }
}

}  // namespace
}  // namespace ehlo_keyword_mangled

const Rule kEhloKeywordMangled = {
    .id = "ehlo-keyword-mangled",
    .category = Category::kSecurity,
    .severity = Severity::kWarning,
    .fault = Fault::kNetwork,
    .needs = kNeedsReplyLines,
    .triggers = kOnReply,
    .verbs = verbs(Verb::kEhlo, Verb::kLhlo),
    .evaluate = ehlo_keyword_mangled::evaluate,
};

}  // namespace smtpscope
