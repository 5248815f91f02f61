#include <fmt/format.h>

#include <string>
#include <utility>

#include "parser/conversation.h"
#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/smuggled_reply.h"
#include "timeline/rules/trace_limits.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace unsolicited_reply {
namespace {

void evaluate(RuleContext& context) {
  const Reply& reply = *context.reply();
  if (reply.answers != Answers::kOrphan || !reply.complete || context.entry()->by_proxy) return;
  // Inside a message it is reply-during-data.
  if (context.conversation().phase() == Conversation::Phase::kMailData) return;
  const SessionState& session = context.session();
  // What the trace has not seen being asked may well have been asked.
  if (session.holes > 0) {
    context.not_evaluated(kHiddenByHoles);
    return;
  }
  if (session.mid_session && session.last_command.entry == 0) return;

  Finding finding = context.finding();
  if (answers_smuggled(context)) finding.variant = "smuggled";
  const LastReply& before = session.last_reply;
  finding.text = fmt::format("the server said {} although no reply was owed", quoted_reply(reply));
  if (before.entry != 0) {
    const Duration since = context.entry()->first - before.last;
    finding.text += fmt::format(", {} after its reply {} to {}", context.measured(since),
                                before.code, asked_by(before.answers, before.verb));
    finding.entries.push_back(before.entry);
    finding.attributes = {{"after", seconds_text(since)}};
  }
  finding.attributes.emplace_back("code", std::to_string(reply.code));
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace unsolicited_reply

const Rule kUnsolicitedReply = {
    .id = "unsolicited-reply",
    .category = Category::kServer,
    .severity = Severity::kWarning,
    .fault = Fault::kServer,
    .triggers = kOnReply,
    .verbs = kNothingOnly,
    .evaluate = unsolicited_reply::evaluate,
};

}  // namespace smtpscope
