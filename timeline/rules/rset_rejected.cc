#include <fmt/format.h>

#include <string>
#include <utility>

#include "parser/conversation.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace rset_rejected {
namespace {

using Hello = SessionState::Hello;

/// RFC 3207 4: a server that insists on TLS may answer 530 to nearly everything before it. A 530
/// that wants authentication is no excuse: RFC 4954 6 exempts RSET from it by name.
bool wants_tls_first(const RuleContext& context, const Reply& reply) {
  if (reply.code != 530 || context.session().encrypted) return false;
  return context.session().hello != Hello::kEhlo ||
         context.conversation().capabilities().has("STARTTLS") ||
         mentions(reply.last_text(), {"tls"});
}

std::string_view state_of(const RuleContext& context) {
  if (context.transaction() != nullptr) return "in-transaction";
  if (context.session().hello != Hello::kNone) return "idle";
  return context.session().mid_session ? "unknown" : "before-hello";
}

void evaluate(RuleContext& context) {
  const Reply* reply = context.reply();
  if (!context.answers(Verb::kRset) || reply->first_digit() == 2) return;
  // RFC 5321 4.1.1.5: it takes none, and 501 says so.
  if (context.answered()->has_arguments) return;
  // The session was ending, whatever the client said (RFC 5321 3.8).
  if (reply->code == 421 || reply->code == 521) return;
  // RFC 5321 3.1: after a refused greeting everything but QUIT gets 503.
  if (context.session().greeting == SessionState::Greeting::kRefused) return;
  if (wants_tls_first(context, *reply)) return;
  // A server that punishes pipelining it has not offered refuses whatever came too early.
  if (reply->first_digit() == 5 && mentions(reply->last_text(), {"synchroni", "pipelin"})) return;

  Finding finding = context.finding();
  finding.text = fmt::format(
      "RSET was answered \"{} {}\", although a server must answer 250 to it in any state",
      reply->code, reply->last_text());
  finding.entries = {context.answered()->entry, context.entry()->number};
  finding.attributes = {{"code", std::to_string(reply->code)},
                        {"state", std::string(state_of(context))}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace rset_rejected

const Rule kRsetRejected = {
    .id = "rset-rejected",
    .category = Category::kTransaction,
    .severity = Severity::kWarning,
    .fault = Fault::kServer,
    .triggers = kOnReply,
    .verbs = verbs(Verb::kRset),
    .evaluate = rset_rejected::evaluate,
};

}  // namespace smtpscope
