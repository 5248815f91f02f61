#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "parser/conversation.h"
#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/trace_limits.h"

namespace smtpscope {
namespace missing_quit {
namespace {

std::string_view how(const Closed& closed) {
  return closed.kind == CloseKind::kReset ? "reset the connection" : "closed the connection";
}

void report_missing(RuleContext& context) {
  const SessionState& session = context.session();
  Finding finding = context.finding();
  const std::uint64_t messages = session.messages_completed;
  finding.text = fmt::format("the client side {} without QUIT", how(*context.closed()));
  if (messages > 0) {
    finding.text += fmt::format(
        "; {} had been accepted before, so no mail is lost",
        messages == 1 ? std::string("its message") : fmt::format("{} messages", messages));
  }
  finding.entries = {session.last_reply.entry};
  finding.attributes = {{"messages", std::to_string(messages)}};
  context.fire(std::move(finding));
}

void report_impatient(RuleContext& context) {
  const SessionState& session = context.session();
  Finding finding = context.finding();
  finding.variant = "quit-without-wait";
  finding.severity = Severity::kInfo;
  const Duration since = context.now() - session.last_command.last;
  finding.text = fmt::format("the client side {} {} after QUIT, without waiting for its answer",
                             how(*context.closed()), context.measured(since));
  finding.entries = {session.last_command.entry};
  finding.attributes = {{"waited", seconds_text(since)}};
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  const SessionState& session = context.session();
  const Closed* closed = context.closed();
  if (closed == nullptr) {
    if (session.tls_hides()) context.not_evaluated(kHiddenByTls);
    return;
  }
  // Who closes second answers the other's close, a 421 or a 521.
  if (closed->from != Side::kClient || closed->by_proxy || session.first_closer != Side::kClient) {
    return;
  }
  if (closed->kind != CloseKind::kFin && closed->kind != CloseKind::kReset) return;
  if (session.hangup_code != 0 || session.tls_hides() || !session.connected) return;
  // Who does not get on with TLS does not stay to say good-bye: tls-handshake-failed has it.
  const bool tls_failed = session.tls_ends != nullptr && session.tls_ends->failed() != nullptr;
  if (tls_failed || session.silent_in_tls()) return;
  // A turned connection (TURN, ATRN): there the client side is the one that answers.
  if (context.conversation().commanding_side() != Side::kClient) return;
  if (session.closes[index(Side::kClient)]->behind_fin) return;  // judged at the FIN
  if (session.quit_sent) {
    if (!session.quit_answered) report_impatient(context);
    return;
  }
  // It was said, to a challenge.
  if (session.auth != nullptr && session.auth->last.quit) return;
  // With something unanswered or a transaction open other rules tell what was lost.
  if (context.conversation().owed() > 0 || context.transaction() != nullptr) return;
  if (session.holes > 0) {
    context.not_evaluated(kHiddenByHoles);
    return;
  }
  report_missing(context);
}

}  // namespace
}  // namespace missing_quit

const Rule kMissingQuit = {
    .id = "missing-quit",
    .category = Category::kClient,
    .severity = Severity::kNotice,
    .fault = Fault::kClient,
    .uses = kNeedsCloseKind,
    .triggers = kOnClose | kOnSessionEnd,
    .evaluate = missing_quit::evaluate,
};

}  // namespace smtpscope
