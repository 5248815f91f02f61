#include <fmt/format.h>

#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace starttls_injection_server {
namespace {

void evaluate(RuleContext& context) {
  const Item& item = *context.entry()->item;
  const auto* junk = std::get_if<Junk>(&item.body);
  if (junk == nullptr || junk->reason != JunkReason::kBehindStartTls) return;
  if (item.side != Side::kServer || context.entry()->by_proxy) return;
  if (context.fired(kStarttlsInjectionServer) > 0) return;
  const SessionState& session = context.session();
  // The catalogue asks for octets before the server's first record. Once the client has said its
  // ClientHello it no longer reads replies, so that is a server whose TLS failed (Exim then
  // answers in the clear): tls-handshake-failed.
  if (session.tls_state != nullptr && session.tls_state->hello_seen[index(Side::kClient)]) return;

  Finding finding = context.finding();
  finding.text = fmt::format("the server side sent {} in the clear behind its 220 to STARTTLS",
                             quoted(junk->text));
  finding.entries.push_back(session.last_reply.entry);
  finding.attributes = {{"octets", std::to_string(item.end - item.begin)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace starttls_injection_server

const Rule kStarttlsInjectionServer = {
    .id = "starttls-injection-server",
    .category = Category::kSecurity,
    .severity = Severity::kError,
    .fault = Fault::kServer,
    .title = "Replies in the clear were sent behind the answer to STARTTLS",
    .means =
        "Behind its 220 to STARTTLS the server may say nothing until TLS has begun. What stands "
        "there in the clear was not protected: somebody on the way can have put it there. A client "
        "that keeps it takes it for replies from inside TLS, and may so believe a false list of "
        "what the server offers, or a false acceptance.",
    .causes =
        "Somebody on the way adds replies, or tests whether the client is open to it.\n"
        "A server or proxy that answers twice, or answers commands that were sent ahead of TLS.",
    .tell_apart =
        "If the client had sent commands behind STARTTLS (starttls-injection-client), these are "
        "likely the answers to them. Trace on the server host: what is not there was put in on "
        "the way.",
    .advice =
        "Check that the client throws away what came before TLS; update it.\n"
        "Update the server or proxy if it is the one that says it.",
    .caveats =
        "A server that answers in the clear because its TLS failed, after the client had begun "
        "its own, is another matter and not told here.",
    .reference = "RFC 3207 4.2; CVE-2011-0411",
    .needs = kNeedsTlsRecords,
    .triggers = kOnOtherEntry,
    .evaluate = starttls_injection_server::evaluate,
};

}  // namespace smtpscope
