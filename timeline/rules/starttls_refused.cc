#include <fmt/format.h>

#include <string>
#include <utility>

#include "parser/conversation.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace starttls_refused {
namespace {

void judge_reply(RuleContext& context, const Reply& reply) {
  const PendingExchange* answered = context.answered();
  if (answered == nullptr || answered->kind != Answers::kCommand) return;
  if (reply.first_digit() < 4) return;
  // RFC 5321 3.1: after a refused greeting everything but QUIT is refused.
  if (context.session().greeting == SessionState::Greeting::kRefused) return;
  const bool advertised = context.conversation().capabilities().has(to_string(answered->verb));
  Finding finding = context.finding();
  finding.text = fmt::format("the server refused {} with {}{}", to_string(answered->verb),
                             quoted_reply(reply), advertised ? ", although it had offered it" : "");
  // RFC 3207 4: it takes no argument; then 501 is the right answer.
  if (reply.code == 501 && answered->has_arguments) {
    finding.fault = Fault::kClient;
    finding.text += "; the command had an argument, which it must not have";
  } else if (!advertised) {
    finding.text += ", which it had not offered";
  }
  finding.entries.push_back(answered->entry);
  finding.attributes = {{"code", std::to_string(reply.code)},
                        {"advertised", advertised ? "yes" : "no"}};
  context.fire(std::move(finding));
}

/// What the client does about a refusal is seen later, at its first MAIL.
void judge_mail(RuleContext& context, const Command& command) {
  const StartTlsNotes* starttls = context.session().starttls.get();
  if (starttls == nullptr || starttls->refused == 0 || starttls->mail_behind) return;
  if (context.session().client_is_local || (command.flags & kEarly) != 0) return;
  Finding finding = context.finding();
  finding.variant = "went-on";
  finding.severity = Severity::kNotice;
  finding.fault = Fault::kClient;
  finding.text = "after the refusal of STARTTLS the client side goes on in the clear";
  finding.entries.push_back(starttls->refused);
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  if (const Reply* reply = context.reply()) {
    judge_reply(context, *reply);
  } else {
    judge_mail(context, *context.command());
  }
}

}  // namespace
}  // namespace starttls_refused

const Rule kStarttlsRefused = {
    .id = "starttls-refused",
    .category = Category::kTls,
    .severity = Severity::kWarning,
    .fault = Fault::kServer,
    .triggers = kOnReply | kOnCommand,
    .verbs = verbs(Verb::kMail),
    .replies_to = verbs(Verb::kStartTls, Verb::kXanonymousTls),
    .only = kRefusal,
    .evaluate = starttls_refused::evaluate,
};

}  // namespace smtpscope
