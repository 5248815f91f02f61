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
    .triggers = kOnReply,
    .verbs = verbs(Verb::kMail, Verb::kRcpt, Verb::kData, Verb::kEtrn),
    .only = kRefusal,
    .evaluate = auth_required::evaluate,
};

}  // namespace smtpscope
