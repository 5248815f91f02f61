#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/ascii.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/extensions.h"
#include "timeline/rules/offered.h"

namespace smtpscope {
namespace ext_param_unadvertised {
namespace {

constexpr std::string_view kRequireTls = "REQUIRETLS";

/// esmtp-keyword (RFC 5321 4.1.2); what is none is a matter of syntax.
bool is_keyword(std::string_view word) {
  return !word.empty() && is_alphanumeric(word.front()) &&
         std::ranges::all_of(word, [](char c) { return c == '-' || is_alphanumeric(c); });
}

/// An extension that is not known here may have the name of its parameter.
bool offered_under_its_name(const Capabilities& offered, std::string_view parameter) {
  return std::ranges::any_of(offered.keywords(), [&](const Capabilities::Keyword& keyword) {
    return same_keyword(parameter, keyword.name());
  });
}

/// What of a command's parameters the server did not offer.
struct Unadvertised {
  std::string parameters, keywords;  // separated by ", "
  bool private_only = true;          // all begin with X
  bool requiretls = false;           // the command asks for it
};

void append(std::string& list, std::string_view word) {
  if (!list.empty()) list += ", ";
  list += word;
}

Unadvertised find_unadvertised(Verb verb, std::string_view parameters,
                               const Capabilities& offered) {
  Unadvertised found;
  for (const MailParameter parameter : mail_parameters(parameters)) {
    if (!is_keyword(parameter.keyword)) continue;
    const ParameterExtension* row = find_parameter_extension(verb, parameter);
    if (row != nullptr && row->parameter == kRequireTls) {
      found.requiretls = true;  // told on its own
      continue;
    }
    if (row != nullptr && offered.has(row->keyword)) continue;
    if (row == nullptr && offered_under_its_name(offered, parameter.keyword)) continue;
    const char first = parameter.keyword.front();
    if (row != nullptr || (first != 'X' && first != 'x')) found.private_only = false;
    // Of the values only BODY's says something here.
    const bool body = row != nullptr && row->parameter == "BODY";
    append(found.parameters,
           body ? fmt::format("BODY={}", row->value) : std::string(parameter.keyword));
    append(found.keywords, row != nullptr ? row->keyword : "unknown");
  }
  return found;
}

void judge_requiretls(RuleContext& context) {
  const bool offered = context.conversation().capabilities().has(kRequireTls);
  if (context.session().encrypted && offered) return;
  Finding finding = context.finding();
  finding.variant = "requiretls";
  finding.text = fmt::format("MAIL asks for REQUIRETLS, but {}",
                             context.session().encrypted ? "the server does not offer it"
                                                         : "the session itself is not TLS");
  finding.attributes = {{"advertised", offered ? "yes" : "no"}};
  context.fire_when_answered(std::move(finding));
}

/// The usual case, quickly: nothing but what read_declared_message() knows, and all of it offered.
bool is_plainly_offered(const DeclaredMessage& declared, const Capabilities& offered) {
  using Body = DeclaredMessage::Body;
  if (!declared.plain || declared.utf8) return false;
  if (declared.size && !offered.has("SIZE")) return false;
  if (declared.body == Body::kNone) return true;
  return offered.has(declared.body == Body::kBinaryMime ? "BINARYMIME" : "8BITMIME");
}

void evaluate(RuleContext& context) {
  const Command& command = *context.command();
  const bool mail = command.verb == Verb::kMail;
  // Clients use the same parameters for all recipients of a message: one line for all of them.
  const Transaction* txn = context.transaction();
  if (!mail && txn != nullptr && txn->rcpt_sent > 1) return;
  const PathArgument& path = context.path();
  if (path.parameters.empty() || (path.flags & (kNoKeyword | kUnclosed)) != 0) return;
  if (!offers_known(context)) {
    // The client had no reply yet: what it relies on is no offer of this session.
    if (context.session().last_hello.code == 0 && context.session().last_hello.entry != 0) return;
    context.not_evaluated(kOffersUnknown);
    return;
  }
  if (mail && txn != nullptr &&
      is_plainly_offered(txn->declared, context.conversation().capabilities())) {
    return;
  }
  const Unadvertised found =
      find_unadvertised(command.verb, path.parameters, context.conversation().capabilities());
  if (mail && found.requiretls) judge_requiretls(context);
  if (found.parameters.empty()) return;
  Finding finding = context.finding();
  if (found.private_only) {
    // By agreement between the two, perhaps.
    finding.severity = Severity::kInfo;
    finding.certainty = Certainty::kPossible;
  }
  finding.text = fmt::format("{} carries {}, which the server did not offer: {}",
                             to_string(command.verb), found.parameters, why_not_offered(context));
  finding.attributes = {{"parameters", found.parameters}, {"extensions", found.keywords}};
  context.fire_when_answered(std::move(finding));
}

}  // namespace
}  // namespace ext_param_unadvertised

const Rule kExtParamUnadvertised = {
    .id = "ext-param-unadvertised",
    .category = Category::kExtension,
    .severity = Severity::kWarning,
    .fault = Fault::kClient,
    .needs = kNeedsReplyLines,
    .triggers = kOnCommand,
    .verbs = verbs(Verb::kMail, Verb::kRcpt),
    .evaluate = ext_param_unadvertised::evaluate,
};

}  // namespace smtpscope
