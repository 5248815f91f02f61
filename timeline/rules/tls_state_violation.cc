// Most of what RFC 3207 4.2 demands happens inside TLS: which command comes first, whether STARTTLS
// is offered or sent again. From outside that cannot be judged; octets in the open can.

#include <fmt/format.h>

#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace tls_state_violation {
namespace {

void judge_junk(RuleContext& context, const Junk& junk, Side side) {
  if (!context.session().tls || context.fired(kTlsStateViolation) > 0) return;
  const bool greeting =
      side == Side::kServer && (junk.text.starts_with("220 ") || junk.text.starts_with("220-"));
  // Plain text right behind STARTTLS, before any record, is told by the rules on injection.
  if (junk.reason != JunkReason::kNotTls && !greeting) return;
  Finding finding = context.finding();
  if (greeting) {
    finding.variant = "greeting";
    finding.fault = Fault::kServer;
    finding.text =
        "the server greets in the open after its 220 to STARTTLS: there the handshake is due, and "
        "no "
        "greeting follows it";
  } else {
    finding.variant = "plaintext";
    finding.fault = side == Side::kClient ? Fault::kClient : Fault::kServer;
    finding.text = fmt::format("the {} side sent octets that are no TLS record after TLS had begun",
                               to_string(side));
  }
  if (const TlsState* tls = context.session().tls_state.get()) {
    finding.entries.push_back(tls->starttls_entry);
  }
  finding.attributes = {{"side", std::string(to_string(side))}};
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  if (context.entry() != nullptr) {
    const Item& item = *context.entry()->item;
    if (const auto* junk = std::get_if<Junk>(&item.body)) judge_junk(context, *junk, item.side);
    return;
  }
  if (context.session().tls_hides() && context.session().starttls != nullptr) {
    context.not_evaluated("what comes inside TLS is not visible");
  }
}

}  // namespace
}  // namespace tls_state_violation

const Rule kTlsStateViolation = {
    .id = "tls-state-violation",
    .category = Category::kTls,
    .severity = Severity::kWarning,
    .fault = Fault::kUnknown,
    .title = "Plain text where only TLS may be",
    .means =
        "When the server has answered 220 to STARTTLS, nothing but TLS may follow on the "
        "connection, and both sides begin again as if they had just met: the server does not greet "
        "a second time, the client says EHLO anew. Here something was sent in the open "
        "nevertheless, which the other side can only take for a broken handshake.",
    .causes =
        "greeting: a server, or a TLS proxy in front of it, that starts a new session behind the "
        "handshake.\n"
        "plaintext: one side gave TLS up and reports an error in the open, or a program went on in "
        "plain SMTP.\n"
        "plaintext: a proxy that lost track of the protocol.",
    .tell_apart =
        "The attribute \"side\" says who spoke; the line itself is in the timeline behind the TLS "
        "records.",
    .advice =
        "Look at the configuration of what ends TLS on that side: a TLS wrapper for port 465 does "
        "not fit behind STARTTLS.\n"
        "Trace the inside of the session at the end of the TLS proxy, if there is one.",
    .caveats =
        "What happens inside TLS is not visible here: whether the client says EHLO first, and "
        "whether the server offers STARTTLS again, is not evaluated.",
    .reference = "RFC 3207 4, 4.2",
    .needs = kNeedsTlsRecords,
    .triggers = kOnOtherEntry | kOnSessionEnd,
    .evaluate = tls_state_violation::evaluate,
};

}  // namespace smtpscope
