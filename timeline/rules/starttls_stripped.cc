#include <fmt/format.h>

#include <string>
#include <utility>

#include "parser/conversation.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/state/run_history.h"

namespace smtpscope {
namespace starttls_stripped {
namespace {

/// What Cisco's firewalls leave of STARTTLS.
constexpr std::string_view kMaskedStartTls = "XXXXXXXA";

/// This session was offered STARTTLS before: then the server took it back itself, or
/// ext-changed-after-tls tells it.
bool offered_before(const SessionState& session) {
  return session.offers != nullptr && session.offers->before.has("STARTTLS");
}

void on_hello_reply(RuleContext& context) {
  const Reply& reply = *context.reply();
  const SessionState& session = context.session();
  if (!context.answers(Verb::kEhlo) || reply.first_digit() != 2 || !reply.complete) return;
  if (session.encrypted || reply.lines.empty() ||
      context.conversation().capabilities().has("STARTTLS")) {
    return;
  }
  if (context.fired(kStarttlsStripped) > 0) return;

  const bool masked = context.conversation().capabilities().has(kMaskedStartTls);
  if (masked) {
    Finding finding = context.finding();
    finding.certainty = Certainty::kLikely;
    finding.variant = "masked";
    finding.text = fmt::format(
        "the reply to EHLO has {}, which is what a firewall makes of STARTTLS: the client "
        "cannot encrypt",
        kMaskedStartTls);
    context.fire(std::move(finding));
    return;
  }
  const ServerRecord* server = context.history().find_server(session.upstream);
  if (server == nullptr || server->starttls_session == 0 || offered_before(session)) return;
  Finding finding = context.finding();
  finding.severity = Severity::kNotice;
  finding.fault = Fault::kUnknown;
  finding.certainty = Certainty::kPossible;
  finding.variant = "hint";
  finding.text = fmt::format("{} offered STARTTLS in session {}, and does not offer it here",
                             session.upstream.empty() ? "the server" : session.upstream,
                             server->starttls_session);
  finding.attributes = {{"offered_in_session", std::to_string(server->starttls_session)}};
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  if (context.reply() != nullptr) {
    on_hello_reply(context);
    return;
  }
  const SessionState& session = context.session();
  if (session.hello == SessionState::Hello::kEhlo && !session.encrypted &&
      !context.conversation().capabilities().has("STARTTLS") &&
      context.fired(kStarttlsStripped) == 0) {
    context.not_evaluated("it needs a trace from a second vantage point");
  }
}

}  // namespace
}  // namespace starttls_stripped

const Rule kStarttlsStripped = {
    .id = "starttls-stripped",
    .category = Category::kSecurity,
    .severity = Severity::kError,
    .fault = Fault::kNetwork,
    .needs = kNeedsReplyLines | kNeedsSecondTrace,
    .uses = kNeedsHistory,
    .triggers = kOnReply | kOnSessionEnd,
    .verbs = verbs(Verb::kEhlo),
    .evaluate = starttls_stripped::evaluate,
};

}  // namespace smtpscope
