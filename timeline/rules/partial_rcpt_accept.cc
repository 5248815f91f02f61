#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace {

std::string_view reaction(const Transaction& ended) {
  if (ended.data_sent) return "sent to the accepted ones";
  switch (ended.aborted_by) {
    case AbortedBy::kRset:
      return "reset the transaction";
    case AbortedBy::kQuit:
      return "said QUIT";
    case AbortedBy::kClientClose:
    case AbortedBy::kReset:
      return "closed the connection";
    default:
      return "sent no message";
  }
}

void evaluate(RuleContext& context) {
  const Transaction* ended = context.ended();
  const bool envelope_split = ended->rcpt_accepted > 0 && ended->rcpt_refused > 0;
  // LMTP answers for each recipient (RFC 2033 4.2); different answers are normal there.
  const bool finals_split = ended->finals_accepted > 0 && ended->finals_accepted < ended->finals;
  if (!envelope_split && !finals_split) return;
  Finding finding = context.finding();
  if (envelope_split) {
    finding.text = fmt::format(
        "{} of {} recipients accepted, {} refused (first: \"{} {}\"); the client side {}",
        ended->rcpt_accepted, ended->rcpt_sent, ended->rcpt_refused, ended->refusal_code,
        ended->refusal_text, reaction(*ended));
    finding.attributes = {{"accepted", std::to_string(ended->rcpt_accepted)},
                          {"refused", std::to_string(ended->rcpt_refused)},
                          {"client", std::string(reaction(*ended))}};
    finding.entries = {ended->first_entry, ended->refusal_entry};
  } else {
    finding.severity = Severity::kInfo;
    finding.variant = "per-recipient";
    finding.text = fmt::format("the message was accepted for {} of {} recipients",
                               ended->finals_accepted, ended->finals);
    finding.attributes = {{"accepted", std::to_string(ended->finals_accepted)},
                          {"answers", std::to_string(ended->finals)}};
    finding.entries = {ended->first_entry, ended->final_entry};
  }
  context.fire(std::move(finding));
}

}  // namespace

const Rule kPartialRcptAccept = {
    .id = "partial-rcpt-accept",
    .category = Category::kTransaction,
    .severity = Severity::kNotice,
    .fault = Fault::kServer,
    .title = "Some recipients were accepted and some refused",
    .means =
        "Not everybody on the envelope gets this mail. What the client does next matters: it "
        "may send to the accepted ones, or give up for all of them; many libraries give up on "
        "the first refusal.\n"
        "A 452 from some recipient on is a limit on their number: the client should send the "
        "rest in another transaction.",
    .caveats = "With LMTP different results for each recipient are normal.",
    .reference = "RFC 5321 3.3, 4.5.3.1.10; RFC 2920 3.1; RFC 2033 4.2",
    .triggers = kOnTransactionEnd,
    .evaluate = evaluate,
};

}  // namespace smtpscope
