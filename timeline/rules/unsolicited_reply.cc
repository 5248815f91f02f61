#include <fmt/format.h>

#include <string>
#include <utility>

#include "parser/conversation.h"
#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
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
    .title = "The server sent a reply that nothing had asked for",
    .means =
        "Each command gets exactly one reply. This one came when all were answered. A client that "
        "does not throw it away takes it for the answer to its next command, and everything after "
        "that is off by one: a refused recipient may count as accepted.",
    .causes =
        "The message was answered twice, by the server and by a filter behind or in front of it.\n"
        "A second greeting: a proxy greeted first, then the real server did.\n"
        "A late answer to an earlier command whose place was filled by something else.",
    .tell_apart =
        "Compare it with the reply before: the same text twice is a doubled answer; a 220 with "
        "another host name is a second greeting; anything else is likely a late answer, and the "
        "session is shifted from somewhere further up.",
    .advice =
        "Find out which program writes that text; take filters and proxies out of the path one by "
        "one.\n"
        "Look whether a later command stays unanswered: then the replies are shifted.",
    .caveats =
        "A trace that began in mid-session, or has holes, does not show what was asked; there the "
        "rule stays silent.",
    .reference = "RFC 5321 4.2; RFC 2920 3.1",
    .triggers = kOnReply,
    .verbs = kNothingOnly,
    .evaluate = unsolicited_reply::evaluate,
};

}  // namespace smtpscope
