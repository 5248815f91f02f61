#include <fmt/format.h>

#include "timeline/causes/case.h"
#include "timeline/causes/catalogue.h"
#include "timeline/causes/cause.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace content_taken_for_commands_cause {
namespace {

/// Postfix says "221 2.7.0 Error: I can break rules, too. Goodbye." to what is no command of SMTP,
/// a header field among it, and hangs up.
bool hung_up_on_text(const SessionState& session) {
  return session.last_reply.code == 221 && session.last_reply.answers == Answers::kCommand &&
         session.last_reply.verb == Verb::kUnknown && !session.quit_sent;
}

void weigh(const Case& the_case, Explanation& explanation) {
  if (the_case.found(kUnknownCommand) && hung_up_on_text(the_case.session())) {
    explanation.weight = kSpecific;
    explanation.side = Fault::kClient;
    explanation.headline =
        "the client sent text where a command is expected, and the server hung up on it; a message "
        "begins behind DATA and the 354 that answers it";
    explanation.covers = {&kUnknownCommand, &kReplyCodeUnexpected, &kServerClosedWithout421,
                          &kTxnAbortedDisconnect};
    explanation.not_it = {"a server that broke down: it said goodbye first"};
    return;
  }
  if (!the_case.found(kContentParsedAsCommands) || the_case.outcomes(Outcome::kAccepted) > 0)
    return;
  const RefusedReply* refusal = the_case.refusal();
  explanation.weight = kSpecific - 5;
  explanation.side = Fault::kClient;
  if (refusal != nullptr && refusal->judged.reason != ReplyReason::kUnsupportedCommand) {
    explanation.reason = refusal->judged.reason;
    explanation.entries = {refusal->entry};
    explanation.explains_refusal = true;
    explanation.headline =
        fmt::format("{}; the client sent the message anyway, and its lines were taken for commands",
                    the_case.reasons().words(refusal->judged.reason).says);
  } else {
    explanation.headline = "the client sent a message where commands were expected";
  }
  explanation.covers = {&kContentParsedAsCommands, &kUnknownCommand, &kTooManyErrors,
                        &kCommandSyntax, &kDataWithoutRcpt};
}

}  // namespace
}  // namespace content_taken_for_commands_cause

const Cause kContentTakenForCommandsCause = {.id = "content-taken-for-commands",
                                             .side = Fault::kClient,
                                             .weigh = content_taken_for_commands_cause::weigh};

}  // namespace smtpscope
