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
  finding.text = fmt::format("the server side sent {} in the clear after its 220 to STARTTLS",
                             in_quotes(junk->text));
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
    .needs = kNeedsTlsRecords,
    .triggers = kOnOtherEntry,
    .evaluate = starttls_injection_server::evaluate,
};

}  // namespace smtpscope
