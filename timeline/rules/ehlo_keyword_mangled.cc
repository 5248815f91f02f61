#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

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
    } else if (unlawful.empty() && !is_lawful_keyword(keyword)) {
      unlawful = keyword;
    }
  }
  if (!masked.empty()) {
    report(context, "masked", Certainty::kLikely,
           fmt::format("something on the way seems to have overwritten what the server offers: {}",
                       masked));
  }
  if (!unlawful.empty()) {
    report(context, "characters", Certainty::kPossible,
           fmt::format("the reply to EHLO offers {}, which cannot be a keyword", quoted(unlawful)));
  }
  // A masked greeting that still says ESMTP promises what the empty list takes back.
  const SessionState& session = context.session();
  if (offered.keywords().empty() && masked.empty() && session.server_extended &&
      session.server_name.find("****") != std::string::npos) {
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
    .title = "What the server offers seems to have been changed on the way",
    .means =
        "The reply to EHLO lists what the server can do, a keyword per line. Here keywords are "
        "overwritten or impossible. Whatever they offered, above all encryption (STARTTLS), the "
        "client cannot use it.",
    .causes =
        "A firewall with mail inspection overwrites keywords that it does not want to see used.\n"
        "An attacker who wants the mail to go unencrypted.\n"
        "characters: a badly written server or a typing error in its settings.",
    .tell_apart =
        "Say EHLO on the server host itself. If the list is complete there, something on the way "
        "changes it.",
    .advice =
        "Switch off mail inspection (on Cisco firewalls: inspect esmtp), or allow TLS in it.\n"
        "Let the client insist on encryption: it then fails openly instead of sending in the "
        "clear.",
    .caveats =
        "\"AUTH=LOGIN\" is an old but honest spelling and is not told. A strange character alone "
        "proves nothing about the way.",
    .reference = "RFC 5321 4.1.1.1; Cisco ASA: Defaults for ESMTP Inspection",
    .needs = kNeedsReplyLines,
    .triggers = kOnReply,
    .verbs = verbs(Verb::kEhlo, Verb::kLhlo),
    .evaluate = ehlo_keyword_mangled::evaluate,
};

}  // namespace smtpscope
