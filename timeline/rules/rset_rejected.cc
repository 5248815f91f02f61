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
    .title = "The server refused a plain RSET",
    .means =
        "A server must answer 250 to RSET without an argument, whatever the state of the session. "
        "This one did not. Clients that keep connections for reuse give up the session after such "
        "an answer, and after a refused RSET the old sender and recipients may still be in force.",
    .causes =
        "A server that wrongly demands EHLO or HELO before RSET; OpenSMTPD 6.8 did.\n"
        "A server that demands authentication for every command, RSET too.\n"
        "A filter or load balancer in front of the server that knows only some commands.\n"
        "A session that was ending already, for too many errors or a timeout, and the server says "
        "so with another code than 421.",
    .tell_apart =
        "Read the text of the reply and the state (attribute state): before-hello points at the "
        "first cause. A text about errors or a timeout means that RSET is not the reason. Compare "
        "with a session made on the server host itself: if RSET works there, it is a device in "
        "front.",
    .advice =
        "Read the text of the reply.\n"
        "Repeat the session by hand on the server host: EHLO, then RSET.\n"
        "Update the server, or take the filtering device out of the path, and tell its maker.",
    .caveats =
        "A refusal is right, and not reported, when RSET carried an argument (501), after a "
        "refused greeting (503), or before STARTTLS on a server that insists on TLS (530). A 421 "
        "belongs to the end of the session, not to RSET.",
    .reference = "RFC 5321 4.1.1.5, 4.1.4, 4.3.2; RFC 3207 4; RFC 4954 6",
    .triggers = kOnReply,
    .verbs = verbs(Verb::kRset),
    .evaluate = rset_rejected::evaluate,
};

}  // namespace smtpscope
