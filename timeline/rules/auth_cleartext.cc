// Fires when the secret is out, not at the command: a server that refuses AUTH LOGIN in the clear
// has protected it. The secret itself is never looked at.

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/ascii.h"
#include "parser/command_line.h"
#include "parser/conversation.h"
#include "parser/path.h"
#include "timeline/rule_context.h"
#include "timeline/rules/auth_mechanisms.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace auth_cleartext {
namespace {

constexpr std::string_view kOffered = "offered";

bool secret_was_out(const AuthAttempt& attempt) {
  const std::uint32_t lines = attempt.responses + (attempt.initial_response ? 1 : 0);
  return lines >= lines_to_secret(attempt.mechanism);
}

void fire_used(RuleContext& context, std::string_view mechanism, std::uint64_t auth_entry) {
  Finding finding = context.finding();
  finding.variant = "used";
  finding.text = fmt::format(
      "the client side sent its {} with {} in the clear: anyone on the path can read it",
      mechanism.starts_with("PLAIN") || mechanism.starts_with("LOGIN") ? "user name and password"
                                                                       : "access token",
      mechanism);
  finding.entries.push_back(auth_entry);
  finding.attributes = {{"mechanism", std::string(mechanism)}};
  context.fire(std::move(finding));
}

void judge_command(RuleContext& context, const Command& command) {
  const std::string mechanism = in_upper_case(split_command(command.arguments).word);
  const AuthExposure exposure = exposure_of(mechanism);
  if (exposure == AuthExposure::kNothing) return;
  const AuthState* auth = context.session().auth.get();
  const bool again = auth != nullptr && auth->last.mechanism == mechanism;
  if (exposure == AuthExposure::kChallenge) {
    if (again) return;
    Finding finding = context.finding();
    finding.variant = "no-tls";
    finding.severity = Severity::kNotice;
    finding.text = fmt::format(
        "the client side logs in with {} in the clear: the password is not sent, but who reads "
        "along "
        "can try guesses on it, and the mail itself is not protected",
        mechanism);
    finding.attributes = {{"mechanism", mechanism}};
    context.fire_when_answered(std::move(finding));
    return;
  }
  if (again && secret_was_out(auth->last)) return;  // told already
  const Item& item = *context.entry()->item;
  const bool initial = item.secret_end > item.secret_begin;
  if (initial && lines_to_secret(mechanism) == 1) {
    fire_used(context, mechanism, context.entry()->number);
  }
}

void judge_response(RuleContext& context, const AuthResponse& response) {
  const AuthState* auth = context.session().auth.get();
  if (auth == nullptr || response.cancelled || response.octets == 0) return;
  AuthAttempt now = auth->last;  // not counted yet
  if (exposure_of(now.mechanism) != AuthExposure::kSecret || secret_was_out(now)) return;
  ++now.responses;
  const bool told = auth->before.mechanism == now.mechanism && secret_was_out(auth->before);
  if (secret_was_out(now) && !told) fire_used(context, now.mechanism, now.entry);
}

bool lists(std::string_view mechanisms, std::string_view wanted) {
  while (!mechanisms.empty()) {
    const std::size_t end = std::min(mechanisms.find(' '), mechanisms.size());
    if (same_keyword(mechanisms.substr(0, end), wanted)) return true;
    mechanisms.remove_prefix(std::min(end + 1, mechanisms.size()));
  }
  return false;
}

void judge_offer(RuleContext& context) {
  const Capabilities::Keyword* auth = context.conversation().capabilities().find("AUTH");
  if (auth == nullptr || context.reply()->first_digit() != 2) return;
  if (!lists(auth->parameters(), "PLAIN") && !lists(auth->parameters(), "LOGIN")) return;
  if (context.fired(kAuthCleartext) > 0) return;
  Finding finding = context.finding();
  finding.variant = kOffered;
  finding.severity = Severity::kNotice;
  finding.fault = Fault::kServer;
  finding.text =
      fmt::format("the server offers a login in the clear (AUTH {}){}", auth->parameters(),
                  context.conversation().capabilities().has("STARTTLS") ? ", besides STARTTLS"
                                                                        : ", and no STARTTLS");
  finding.attributes = {{"mechanisms", std::string(auth->parameters())}};
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  const SessionState& session = context.session();
  if (session.encrypted || session.client_is_local) return;
  const ItemBody& body = context.entry()->item->body;
  // Who offers STARTTLS speaks in the clear. Else, of what an endpoint tells, nobody knows.
  const Capabilities& offered = context.conversation().capabilities();
  if (session.fidelity.inside_tls && !offered.has("STARTTLS")) {
    const bool login = session.auth != nullptr || offered.has("AUTH");
    if (login) context.not_evaluated("the trace does not show whether the session began with TLS");
    return;
  }
  if (const auto* command = std::get_if<Command>(&body)) {
    // The verbs of the rule are those of both triggers.
    if (command->verb == Verb::kAuth || command->verb == Verb::kXexps) {
      judge_command(context, *command);
    }
  } else if (const auto* response = std::get_if<AuthResponse>(&body)) {
    judge_response(context, *response);
  } else if (context.reply() != nullptr &&
             (context.answers(Verb::kEhlo) || context.answers(Verb::kLhlo))) {
    judge_offer(context);
  }
}

}  // namespace
}  // namespace auth_cleartext

const Rule kAuthCleartext = {
    .id = "auth-cleartext",
    .category = Category::kAuth,
    .severity = Severity::kError,
    .fault = Fault::kClient,
    .triggers = kOnCommand | kOnOtherEntry | kOnReply,
    .verbs = verbs(Verb::kAuth, Verb::kXexps, Verb::kEhlo, Verb::kLhlo),
    .evaluate = auth_cleartext::evaluate,
};

}  // namespace smtpscope
