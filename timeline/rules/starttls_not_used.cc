#include <fmt/format.h>

#include <string>
#include <utility>

#include "parser/conversation.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/run_history.h"

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
    context.not_evaluated("whether the server offers STARTTLS was told before the trace began");
    return;
  }
  if (!context.conversation().capabilities().has("STARTTLS")) return;
  Finding finding = context.finding();
  finding.text = fmt::format(
      "the server offered STARTTLS, and the client side sent its mail in the open ({} MAIL "
      "command{}"
      ") without trying it",
      session.mails_sent, session.mails_sent == 1 ? "" : "s");
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
    .title = "The server offered encryption, and the client did not use it",
    .means =
        "With STARTTLS a session that began in the open is encrypted from then on. The server "
        "offered it, the client sent its mail without: sender, recipients and the whole message "
        "could be read and changed by everybody on the way. With after-failure the client had "
        "tried "
        "TLS in a session before, and failed at it: whoever can make TLS fail gets its mail to "
        "read.",
    .causes =
        "TLS is switched off in the client, or was never switched on.\n"
        "A client that cannot do TLS (old devices, small send-only programs).\n"
        "The client was told another EHLO reply than the one seen here: something between it and "
        "this point removed STARTTLS.",
    .tell_apart =
        "Trace once more as near to the client as possible: if the STARTTLS line is missing there, "
        "it was removed on the way. Otherwise it is the client's configuration.",
    .advice =
        "Switch on TLS in the client (often called STARTTLS, or TLS \"if available\").\n"
        "If the path must not carry mail in the open, let the server insist on TLS.",
    .caveats =
        "On a trusted network segment TLS may be off on purpose. Clients on the same host are "
        "reported "
        "only with after-failure. Clients are told apart by their address: behind one that many "
        "share, another of them may have failed.",
    .reference = "RFC 3207 4, 6",
    .needs = kNeedsReplyLines,
    .triggers = kOnSessionEnd,
    .evaluate = starttls_not_used::evaluate,
};

}  // namespace smtpscope
