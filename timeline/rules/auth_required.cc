#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace auth_required {
namespace {

/// The refusal is about a login. "auth" alone would also find DMARC's "unauthenticated mail", SPF's
/// "not authorized" and "authoritative": those judge the domain, not the client.
bool is_about_login(std::uint16_t code, std::string_view text) {
  if (code == 530) return true;
  if (code != 550 && code != 554) return false;
  for (const std::string_view other : {"spf", "dkim", "dmarc", "unauthenticated", "arc-seal"}) {
    if (mentions(text, {other})) return false;
  }
  return mentions(text, {"authenticat", "auth required", "smtp auth", "smtp-auth", "log in"});
}

void evaluate(RuleContext& context) {
  const Reply* reply = context.reply();
  const PendingExchange* answered = context.answered();
  if (answered == nullptr || answered->kind != Answers::kCommand) return;
  const SessionState& session = context.session();
  if (session.authenticated || session.greeting == SessionState::Greeting::kRefused) return;
  const std::string_view words = reply->last_text();
  if (!is_about_login(reply->code, words)) return;
  // Once per transaction: a pipelined group gets the same answer to each of its commands.
  const Transaction* txn = context.transaction();
  if (txn != nullptr && txn->refusal_entry != context.entry()->number &&
      is_about_login(txn->refusal_code, txn->refusal_text)) {
    return;
  }

  Finding finding = context.finding();
  if (reply->code != 530) finding.certainty = Certainty::kLikely;
  // RFC 3207 4: 530 also means "STARTTLS first".
  const bool tls = mentions(words, {"starttls", "tls "});
  if (tls) finding.variant = "starttls";
  finding.text =
      fmt::format("the server refused {} with {}: it wants {} first", to_string(answered->verb),
                  quoted_reply(*reply), tls ? "an encrypted session (STARTTLS)" : "a login (AUTH)");
  finding.entries.push_back(answered->entry);
  finding.attributes = {{"code", std::to_string(reply->code)}};
  if (const AuthState* auth = session.auth.get(); auth != nullptr && !tls) {
    finding.text += auth->last.code >= 400
                        ? fmt::format("; its AUTH had failed with {}", auth->last.code)
                        : "; its AUTH had not come to an end";
    finding.entries.push_back(auth->last.entry);
  } else if (!tls) {
    finding.text += "; the client side had not tried one";
  }
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace auth_required

const Rule kAuthRequired = {
    .id = "auth-required",
    .category = Category::kAuth,
    .severity = Severity::kNotice,
    .fault = Fault::kClient,
    .title = "The server wants a login before it takes mail",
    .means =
        "This server takes mail only from clients that have logged in (or, variant starttls, that "
        "have switched to an encrypted session first). The client did neither, so the mail was "
        "refused.",
    .causes =
        "The client has no user name and password configured for this server.\n"
        "Its login failed before, and it went on without one.\n"
        "starttls: TLS is switched off in the client.\n"
        "The client should use another server or port: 587 or 465 are for logins, 25 is for mail "
        "between servers.",
    .tell_apart =
        "If there is an AUTH in the session, its reply is the true reason. If there is none, the "
        "client is not configured for one, or was not offered AUTH before STARTTLS.",
    .advice =
        "Enter user name and password in the client, and switch on TLS: many servers offer AUTH "
        "only after STARTTLS.\n"
        "If the client's host should be allowed without a login, add it to the server's trusted "
        "networks.",
    .caveats =
        "With 550 and 554 it is concluded from the server's words. Refusals that speak of SPF, "
        "DKIM "
        "or DMARC are not meant: those are about the sender's domain.",
    .reference = "RFC 4954 6; RFC 3207 4",
    .triggers = kOnReply,
    .verbs = verbs(Verb::kMail, Verb::kRcpt, Verb::kData, Verb::kEtrn),
    .only = kRefusal,
    .evaluate = auth_required::evaluate,
};

}  // namespace smtpscope
