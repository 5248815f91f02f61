#include <fmt/format.h>

#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace rset_liveness_probe {
namespace {

/// The command before this moment asked whether an idle connection still lives; its answer is in.
bool asked_whether_it_lives(const RuleContext& context) {
  const SessionState& session = context.session();
  const LastCommand& probe = session.last_command;
  if (probe.verb != Verb::kRset && probe.verb != Verb::kNoop) return false;
  if (session.messages_completed == 0) return false;
  if (probe.idle_before < context.threshold(Threshold::kRsetProbeSilence)) return false;
  const LastReply& answer = session.last_reply;
  return answer.verb == probe.verb && answer.answers == Answers::kCommand &&
         answer.entry > probe.entry;
}

/// No transaction was open when the probe was sent. `begun` transactions had been begun by then.
bool nothing_was_open(const SessionState& session, std::uint64_t begun) {
  const TransactionSummary* last = session.previous.get();
  return last != nullptr && last->number == begun && last->last_entry < session.last_command.entry;
}

void report(RuleContext& context, std::string_view variant, std::string what_came) {
  const SessionState& session = context.session();
  const LastCommand& probe = session.last_command;
  Finding finding = context.finding();
  finding.variant = variant;
  finding.time = probe.first;
  finding.transaction = 0;
  finding.place = session.last_reply.entry;
  finding.text = fmt::format(
      "{} after {} without a word, {}: the client side asked whether the "
      "connection still lives before using it again",
      to_string(probe.verb), duration_text(probe.idle_before), what_came);
  finding.entries = {probe.entry, session.last_reply.entry};
  finding.attributes = {{"idle", seconds_text(probe.idle_before)},
                        {"reply", std::to_string(session.last_reply.code)}};
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  const SessionState& session = context.session();
  if (!asked_whether_it_lives(context)) return;
  const bool lives = session.last_reply.code / 100 == 2;
  if (const Command* command = context.command(); command != nullptr) {
    if (command->verb == Verb::kMail) {
      const Duration wait = context.entry()->first - session.last_reply.last;
      if (!lives || wait > context.threshold(Threshold::kRsetProbeNext)) return;
      if (!nothing_was_open(session, session.transactions - 1)) return;
      report(context, "alive", fmt::format("then MAIL {} after the reply", duration_text(wait)));
      return;
    }
    if (lives || !nothing_was_open(session, session.transactions)) return;
    report(context, "dead", fmt::format("answered {}, then QUIT", session.last_reply.code));
    return;
  }
  const Closed& closed = *context.closed();
  if (closed.from != Side::kClient || closed.by_proxy || lives) return;
  if (!nothing_was_open(session, session.transactions)) return;
  report(context, "dead",
         fmt::format("answered {}, then the client side closed", session.last_reply.code));
}

}  // namespace
}  // namespace rset_liveness_probe

const Rule kRsetLivenessProbe = {
    .id = "rset-liveness-probe",
    .category = Category::kTransaction,
    .severity = Severity::kInfo,
    .fault = Fault::kClient,
    .needs = kNeedsFineTimes,
    .triggers = kOnCommand | kOnClose,
    .verbs = verbs(Verb::kMail, Verb::kQuit),
    .evaluate = rset_liveness_probe::evaluate,
};

}  // namespace smtpscope
