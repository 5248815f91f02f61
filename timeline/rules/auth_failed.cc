#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "parser/enhanced_code.h"
#include "timeline/rule_context.h"
#include "timeline/rules/auth_mechanisms.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/extensions.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace auth_failed {
namespace {

/// Why it failed: the sub-kind, and what that means in words.
struct Reason {
  std::string_view variant, words;
};

Reason of_syntax_error(const AuthAttempt& attempt, const Reply& reply) {
  // RFC 4954 4: 500 and 5.5.6 where a line is longer than the server takes.
  const bool too_long = enhanced_code(reply.last_text()) == EnhancedCode{5, 5, 6} ||
                        attempt.secret_octets > kLongestAuthLine;
  if (too_long) return {"too-long", "a line of the login was too long for the server"};
  if (reply.code == 501 && attempt.initial_response && server_speaks_first(attempt.mechanism)) {
    return {"initial-response",
            "the client sent an initial response, but with this mechanism the server speaks first"};
  }
  if (reply.code == 501 && (attempt.initial_response || attempt.responses > 0)) {
    return {"bad-base64", "the server could not read what the client sent (its encoding)"};
  }
  return {"syntax", "the server did not understand the command"};
}

Reason reason_of(const AuthAttempt& attempt, const Reply& reply) {
  switch (reply.code) {
    case 535:
      return {"credentials", "user name, password or token are wrong, or not accepted here"};
    case 534:
      return {"too-weak", "the mechanism is too weak for this user"};
    case 530:
    case 538:
      return {"encryption-required", "the server wants TLS first"};
    case 432:
      return {"transition", "the user's password has to be converted first (by a PLAIN login)"};
    case 504:
      return {"mechanism", "the server does not take this mechanism"};
    case 500:
    case 501:
    case 502:
      return of_syntax_error(attempt, reply);
    default:
      return reply.first_digit() == 4
                 ? Reason{"temporary", "the server cannot check logins at the moment"}
                 : Reason{"refused", "no code that RFC 4954 lists; its words are the diagnosis"};
  }
}

void evaluate(RuleContext& context) {
  const Reply* reply = context.reply();
  const AuthState* auth = context.session().auth.get();
  if (auth == nullptr || context.answered() == nullptr) return;
  // 503 (in a transaction, or a second login) belongs to command-out-of-order; 421 and 521 end the
  // session.
  if (reply->code == 503 || reply->code == 421 || reply->code == 521) return;
  if (context.session().greeting == SessionState::Greeting::kRefused) return;

  const AuthAttempt& attempt = auth->last;
  Finding finding = context.finding();
  const std::string_view mechanism =
      attempt.mechanism.empty() ? std::string_view("without a mechanism") : attempt.mechanism;
  if (attempt.cancelled) {
    finding.variant = "cancelled";
    finding.severity = Severity::kInfo;
    finding.fault = Fault::kClient;
    finding.text =
        fmt::format("the client side gave its AUTH {} up (\"*\"); the server answered {}",
                    mechanism, quoted_reply(*reply));
  } else {
    const Reason reason = reason_of(attempt, *reply);
    finding.variant = reason.variant;
    finding.text =
        fmt::format("AUTH {} failed with {}: {}", mechanism, quoted_reply(*reply), reason.words);
  }
  finding.entries.push_back(attempt.entry);
  finding.attributes = {{"mechanism", attempt.mechanism},
                        {"code", std::to_string(reply->code)},
                        {"tls", attempt.encrypted ? "yes" : "no"},
                        {"attempt", std::to_string(auth->attempts)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace auth_failed

const Rule kAuthFailed = {
    .id = "auth-failed",
    .category = Category::kAuth,
    .severity = Severity::kWarning,
    .fault = Fault::kUnknown,
    .title = "The login failed",
    .means =
        "The client wanted to log in and could not. If it goes on all the same, a server that "
        "demands a login refuses sender or recipients (530, 550), and this here is the reason.",
    .causes =
        "credentials (535): a wrong or expired password, a user without the right to send, an app "
        "password or token that is needed instead; sometimes the mechanism hides the true reason.\n"
        "encryption-required, too-weak, mechanism (530, 534, 538, 504): the server's policy on TLS "
        "and mechanisms, not the password.\n"
        "temporary (454 and other 4yz): what the server asks about passwords (directory, database) "
        "is out of order.\n"
        "bad-base64, initial-response, too-long, syntax (500, 501): a fault in the client's "
        "program.",
    .tell_apart =
        "The variant is read from the code. The server's log knows more: it can tell an unknown "
        "user from a wrong password, which the reply must not.",
    .advice =
        "credentials: log in by hand with the same name and password, best copied from the "
        "client's "
        "settings.\n"
        "encryption-required: switch on TLS in the client.\n"
        "mechanism: choose one that the server lists behind AUTH in its EHLO reply.\n"
        "temporary: look at the server's log; the client may try again.",
    .caveats =
        "A client that cancels with \"*\" gets 501; that is no failure and only an info. The "
        "secrets are not looked at, so \"could not read it\" is the server's word.",
    .reference = "RFC 4954 4, 6",
    .triggers = kOnReply,
    .verbs = verbs(Verb::kAuth, Verb::kXexps),
    .only = kRefusal,
    .evaluate = auth_failed::evaluate,
};

}  // namespace smtpscope
