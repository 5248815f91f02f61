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
  finding.text = "after the refusal of STARTTLS the client side goes on in the open";
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
    .title = "The server refused STARTTLS",
    .means =
        "The client wanted an encrypted session and did not get it. It now either gives up, and "
        "the mail waits or bounces, or it goes on in the open (variant went-on), where everybody "
        "on the way can read the mail.",
    .causes =
        "454: TLS is not available at the moment: a certificate or key that cannot be read, a lack "
        "of resources, a limit on the rate of handshakes.\n"
        "500, 502: TLS is switched off in the server, or something in between does not let the "
        "command through.\n"
        "503, 554: TLS is active already, or the command came at the wrong moment.\n"
        "501: the client added an argument.",
    .tell_apart =
        "Refused although it was offered: look at the server's log, it has a reason of its own. "
        "Refused and not offered: the client is set to use TLS without asking.",
    .advice =
        "Read the server's log for that second: certificate path, permissions, expired key.\n"
        "Compare with a STARTTLS by hand on the server's own host; if that works, look for a "
        "firewall that inspects SMTP.\n"
        "went-on: if that must not happen, set the client to insist on TLS.",
    .caveats =
        "A server may limit TLS to some clients. Where the client is on the same host, going on in "
        "the open is not reported.",
    .reference = "RFC 3207 4, 6",
    .triggers = kOnReply | kOnCommand,
    .verbs = verbs(Verb::kMail),
    .replies_to = verbs(Verb::kStartTls, Verb::kXanonymousTls),
    .only = kRefusal,
    .evaluate = starttls_refused::evaluate,
};

}  // namespace smtpscope
