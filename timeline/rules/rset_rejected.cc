#include <fmt/format.h>

#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace {

void evaluate(RuleContext& context) {
  const Reply* reply = context.reply();
  if (!context.answers(Verb::kRset) || reply->first_digit() == 2) return;
  if (context.answered()->has_arguments) return;
  // The session was ending, whatever the client said (RFC 5321 3.8).
  if (reply->code == 421 || reply->code == 521) return;
  // RFC 5321 3.1: after a refused greeting everything but QUIT gets 503.
  if (context.session().greeting == SessionState::Greeting::kRefused) return;
  // RFC 3207 4: a server that insists on TLS may answer 530 before it.
  if (reply->code == 530 && !context.session().tls) return;

  Finding finding = context.finding();
  finding.text = fmt::format(
      "RSET was answered {}, although a server must answer 250 to it in any state", reply->code);
  finding.entries = {context.answered()->entry, context.entry()->number};
  finding.attributes = {{"code", std::to_string(reply->code)}};
  context.fire(std::move(finding));
}

}  // namespace

const Rule kRsetRejected = {
    .id = "rset-rejected",
    .category = Category::kTransaction,
    .severity = Severity::kWarning,
    .fault = Fault::kServer,
    .title = "The server refused a plain RSET",
    .means =
        "A server must answer 250 to RSET without an argument, whatever the state of the "
        "session. Clients that reuse connections give up the session after such an answer.\n"
        "Look at the server or at a filter in front of it; some servers wrongly demand HELO "
        "first. If the text speaks of a timeout or of too many errors, the session was ending "
        "already and RSET is not the reason.",
    .caveats =
        "A refusal is right when RSET carried an argument (501), after a refused greeting "
        "(503), or before STARTTLS on a server that insists on TLS (530). A 421 belongs to the "
        "end of the session, not to RSET.",
    .reference = "RFC 5321 4.1.1.5, 4.3.2",
    .triggers = kOnReply,
    .evaluate = evaluate,
};

}  // namespace smtpscope
