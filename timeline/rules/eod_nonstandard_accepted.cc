#include <fmt/format.h>

#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace eod_nonstandard_accepted {
namespace {

void evaluate(RuleContext& context) {
  const PendingExchange* asked = context.answered();
  // A refusal may have other reasons to come early: reply-during-data.
  if (asked == nullptr || !asked->at_candidate || context.reply()->first_digit() != 2) return;
  Finding finding = context.finding();
  const Reply& reply = *context.reply();
  finding.text = "the server took the message for complete";
  if (const Transaction* message = context.transaction()) {
    const std::string_view kind = to_string(message->facts.first_candidate);
    finding.text += fmt::format(" at {}", kind);
    finding.attributes = {{"kind", std::string(kind)}};
  }
  finding.text += fmt::format(", which is not its end, and accepted it: {}", quoted_reply(reply));
  finding.entries.push_back(asked->entry);
  finding.attributes.emplace_back("code", std::to_string(reply.code));
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace eod_nonstandard_accepted

const Rule kEodNonstandardAccepted = {
    .id = "eod-nonstandard-accepted",
    .category = Category::kSecurity,
    .severity = Severity::kError,
    .fault = Fault::kServer,
    .title = "The server takes a wrong sequence for the end of a message",
    .means =
        "The server accepted the message before its end (CR LF, dot, CR LF) was sent: it took "
        "another sequence for it. What follows is then read as commands. Whoever can get such a "
        "sequence through a stricter server can deliver forged mail here that seems to come from "
        "there (SMTP smuggling).",
    .causes =
        "An old version of the server, or a setting that allows bare line ends.\n"
        "A gateway in front of it that turns bare CR or LF into CR LF.",
    .tell_apart =
        "Record behind the gateway, on the server host: if CR LF . CR LF arrives there, the "
        "gateway made it.",
    .advice =
        "Update the server, and switch on its protection against bare line ends (Postfix: "
        "smtpd_forbid_bare_newline).\n"
        "On the gateway, let line ends pass unchanged or refuse the message.\n"
        "Look in the log for mail that was accepted in the same second as this message.",
    .caveats =
        "That the reply belongs to this sequence is concluded from the order of what was seen: "
        "the sequence was sent, the true end was not, and the server said that it had the message.",
    .reference = "RFC 5321 4.1.1.4; postconf(5) smtpd_forbid_bare_newline",
    .needs = kNeedsContent | kNeedsOctets,
    .triggers = kOnReply,
    .verbs = verbs(Verb::kData),
    .evaluate = eod_nonstandard_accepted::evaluate,
};

}  // namespace smtpscope
