// Most of what RFC 3207 4.2 demands happens inside TLS: which command comes first, whether STARTTLS
// is offered or sent again. From outside that cannot be judged; octets in the clear can.

#include <fmt/format.h>

#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/trace_limits.h"

namespace smtpscope {
namespace tls_state_violation {
namespace {

void judge_junk(RuleContext& context, const Junk& junk, Side side) {
  if (!context.session().tls || context.fired(kTlsStateViolation) > 0) return;
  // Behind a hole the beginning of the next record is not known.
  if (context.session().holes > 0) {
    context.not_evaluated(kHiddenByHoles);
    return;
  }
  const bool greeting =
      side == Side::kServer && (junk.text.starts_with("220 ") || junk.text.starts_with("220-"));
  // Plain text right behind STARTTLS, before any record, is told by the rules on injection.
  if (junk.reason != JunkReason::kNotTls && !greeting) return;
  Finding finding = context.finding();
  if (greeting) {
    finding.variant = "greeting";
    finding.fault = Fault::kServer;
    finding.text =
        "the server greets in the clear after its 220 to STARTTLS: there the handshake is due, and "
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

/// Told once, and what follows is read as what it is.
void judge_command(RuleContext& context, const Command& command) {
  if ((command.flags & kTlsNeverCame) == 0) return;
  Finding finding = context.finding();
  finding.variant = "clear";
  finding.severity = Severity::kNotice;
  finding.certainty = Certainty::kSeen;
  finding.text =
      "after STARTTLS and its 220 both sides go on in the clear: either this trace was taken "
      "where "
      "TLS is already removed, or neither side uses it";
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  if (context.command() != nullptr) {
    judge_command(context, *context.command());
    return;
  }
  if (context.entry() != nullptr) {
    const Item& item = *context.entry()->item;
    if (const auto* junk = std::get_if<Junk>(&item.body)) judge_junk(context, *junk, item.side);
    return;
  }
  if (context.session().tls_hides() && context.session().starttls != nullptr) {
    context.not_evaluated("what is inside TLS is not visible");
  }
}

}  // namespace
}  // namespace tls_state_violation

const Rule kTlsStateViolation = {
    .id = "tls-state-violation",
    .category = Category::kTls,
    .severity = Severity::kWarning,
    .fault = Fault::kUnknown,
    .needs = kNeedsTlsRecords,
    .triggers = kOnCommand | kOnOtherEntry | kOnSessionEnd,
    .only = kOddLine,
    .evaluate = tls_state_violation::evaluate,
};

}  // namespace smtpscope
