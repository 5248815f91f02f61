#include <fmt/format.h>

#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/extensions.h"
#include "timeline/rules/offered.h"

namespace smtpscope {
namespace ext_command_unadvertised {
namespace {

void evaluate(RuleContext& context) {
  const Command& command = *context.command();
  const CommandExtension* extension = find_command_extension(command.verb);
  if (extension == nullptr) return;
  if (context.conversation().capabilities().has(extension->keyword)) return;
  // Of the chunks of a message the first one stands for all.
  const ChunkNotes* chunks = context.session().chunks.get();
  if (command.verb == Verb::kBdat && chunks != nullptr &&
      chunks->transaction == context.entry()->transaction) {
    return;
  }
  if (!offers_known(context)) {
    // The client had no reply yet: what it relies on is no offer of this session.
    if (context.session().last_hello.code == 0 && context.session().last_hello.entry != 0) return;
    context.not_evaluated(kOffersUnknown);
    return;
  }
  Finding finding = context.finding();
  finding.text = fmt::format("the client side used {}, but the server did not offer {}: {}",
                             to_string(command.verb), extension->keyword, why_not_offered(context));
  finding.attributes = {{"command", std::string(to_string(command.verb))},
                        {"extension", std::string(extension->keyword)}};
  context.fire_when_answered(std::move(finding));
}

}  // namespace
}  // namespace ext_command_unadvertised

const Rule kExtCommandUnadvertised = {
    .id = "ext-command-unadvertised",
    .category = Category::kExtension,
    .severity = Severity::kWarning,
    .fault = Fault::kClient,
    .title = "A command was used whose extension the server did not offer",
    .means =
        "STARTTLS, AUTH, BDAT and others exist only where the server lists them in its reply to "
        "EHLO. Elsewhere they are unknown commands and get an error.\n"
        "With BDAT it is worse: a server that does not know it takes the octets of the message for "
        "commands, line by line.",
    .causes =
        "The client is configured to use the command in any case and does not look at the reply.\n"
        "It uses what it learned in another session, before STARTTLS, or before it fell back to "
        "HELO.\n"
        "A filter or firewall in between removed the keyword from the reply.\n"
        "The server accepts the command from some clients without listing it.",
    .tell_apart =
        "If the server accepted it, it merely does not announce it. If it answered 500 or 502, "
        "compare with the EHLO reply that it gives on its own host: a keyword that is there was "
        "removed on the way.",
    .advice =
        "Tell the client to use the extension only if it is offered.\n"
        "Switch the extension on in the server, or announce it also to this client.\n"
        "Look for middleboxes that rewrite EHLO replies.",
    .caveats =
        "Some servers take AUTH from clients to whom they do not announce it, by configuration; "
        "then nothing is broken.",
    .reference = "RFC 5321 2.2.1, 4.1.1.1; RFC 3030 2; RFC 3207 4; RFC 4954 3",
    .needs = kNeedsReplyLines,
    .triggers = kOnCommand,
    .verbs =
        verbs(Verb::kStartTls, Verb::kAuth, Verb::kBdat, Verb::kBurl, Verb::kEtrn, Verb::kAtrn,
              Verb::kXclient, Verb::kXforward, Verb::kXexch50, Verb::kXexps, Verb::kXanonymousTls),
    .evaluate = ext_command_unadvertised::evaluate,
};

}  // namespace smtpscope
