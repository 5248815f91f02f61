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
  // XCLIENT_README: after XCLIENT the server is as behind its greeting, and a filter that has more
  // to tell says so in another XCLIENT, before it says EHLO anew.
  const SessionState& session = context.session();
  if (command.verb == Verb::kXclient && session.last_reply.verb == Verb::kXclient &&
      session.last_reply.code == 220) {
    return;
  }
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
    .needs = kNeedsReplyLines,
    .triggers = kOnCommand,
    .verbs =
        verbs(Verb::kStartTls, Verb::kAuth, Verb::kBdat, Verb::kBurl, Verb::kEtrn, Verb::kAtrn,
              Verb::kXclient, Verb::kXforward, Verb::kXexch50, Verb::kXexps, Verb::kXanonymousTls),
    .evaluate = ext_command_unadvertised::evaluate,
};

}  // namespace smtpscope
