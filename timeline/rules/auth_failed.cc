#include <fmt/format.h>

#include <optional>
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

constexpr Reason kBackend{"temporary", "the server cannot check logins at the moment"};
constexpr Reason kNoTls{"encryption-required", "the server wants TLS first"};
constexpr Reason kMechanism{"mechanism", "the server does not take this mechanism"};

/// Some servers have 535 for every failure, and say in words what it was.
std::optional<Reason> by_words(const RuleContext& context) {
  const RefusedReply* why = context.entry()->refusal;
  if (why == nullptr) return std::nullopt;
  switch (why->judged.reason) {
    case ReplyReason::kAuthBackendBroken:
      return kBackend;
    case ReplyReason::kTlsRequired:
      return kNoTls;
    case ReplyReason::kAuthMechanism:
      return kMechanism;
    default:
      return std::nullopt;
  }
}

Reason reason_of(const RuleContext& context, const AuthAttempt& attempt, const Reply& reply) {
  switch (reply.code) {
    case 535:
      if (const std::optional<Reason> said = by_words(context)) return *said;
      return {"credentials", "user name, password or token are wrong, or not accepted here"};
    case 534:
      return {"too-weak", "the mechanism is too weak for this user"};
    case 530:
    case 538:
      return kNoTls;
    case 432:
      return {"transition", "the user's password has to be converted first (by a PLAIN login)"};
    case 504:
      return kMechanism;
    case 500:
    case 501:
    case 502:
      return of_syntax_error(attempt, reply);
    default:
      return reply.first_digit() == 4
                 ? kBackend
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
        fmt::format("the client side gave its AUTH {} up (\"{}\"); the server answered {}",
                    mechanism, attempt.quit ? "QUIT" : "*", quoted_reply(*reply));
  } else {
    const Reason reason = reason_of(context, attempt, *reply);
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
    .triggers = kOnReply,
    .verbs = verbs(Verb::kAuth, Verb::kXexps),
    .only = kRefusal,
    .evaluate = auth_failed::evaluate,
};

}  // namespace smtpscope
