#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/counted.h"
#include "parser/conversation.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/state/run_history.h"

namespace smtpscope {
namespace starttls_not_used {
namespace {

void evaluate(RuleContext& context) {
  const SessionState& session = context.session();
  if (session.mails_sent == 0 || session.encrypted) return;
  const ClientRecord* client = context.history().find_client(session.client_host);
  const SessionId gave_up = client == nullptr ? 0 : client->tls_failed_session;
  if (session.client_is_local && gave_up == 0) return;
  if (session.reply_rewritten) return;      // smtpscope hid it (--tls strip)
  if (session.starttls != nullptr) return;  // what became of it is starttls-refused's
  if (session.last_hello.entry == 0 && session.mid_session) {
    context.not_evaluated("the server's offer came before the trace began");
    return;
  }
  if (!context.conversation().capabilities().has("STARTTLS")) return;
  Finding finding = context.finding();
  finding.text = fmt::format(
      "the server offered STARTTLS, and the client side sent its mail in the clear ({}) "
      "without trying it",
      counted(session.mails_sent, "MAIL command"));
  finding.entries = {session.last_hello.entry};
  finding.attributes = {{"mails", std::to_string(session.mails_sent)}};
  if (gave_up != 0) {
    finding.variant = "after-failure";
    finding.severity = Severity::kWarning;
    finding.text += fmt::format(
        ", after its TLS handshake in session {} had failed: it falls back to clear text", gave_up);
    finding.attributes.emplace_back("failed_session", std::to_string(gave_up));
  }
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace starttls_not_used

const Rule kStarttlsNotUsed = {
    .id = "starttls-not-used",
    .category = Category::kTls,
    .severity = Severity::kNotice,
    .fault = Fault::kClient,
    .needs = kNeedsReplyLines,
    .triggers = kOnSessionEnd,
    .evaluate = starttls_not_used::evaluate,
};

}  // namespace smtpscope
