#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace partial_rcpt_accept {
namespace {

struct Reaction {
  std::string_view name;
  std::string_view in_words;
};

/// What the client made of it.
Reaction reaction(const Transaction& ended) {
  if (ended.data_sent) return {"sent", "sent to the accepted ones"};
  switch (ended.aborted_by) {
    case AbortedBy::kRset:
      return {"reset", "reset the transaction"};
    case AbortedBy::kQuit:
      return {"quit", "said QUIT"};
    case AbortedBy::kClientClose:
    case AbortedBy::kReset:
      return {"closed", "closed the connection"};
    default:
      return {"nothing", "sent no message"};
  }
}

/// RFC 5321 4.5.3.1.10: 452 (552 in old servers) from some recipient on, that is: to all behind the
/// last accepted one and to none before, says that there are too many.
bool is_limit(const Transaction& ended) {
  bool refused_before = false;
  for (const Recipient& each : ended.recipients) {
    const bool full = each.code == 452 || each.code == 552;
    if (each.code / 100 == 2 ? refused_before : !full) return false;
    refused_before |= full;
  }
  return refused_before && ended.recipients.front().code / 100 == 2;
}

void report_envelope(RuleContext& context, const Transaction& ended) {
  Finding finding = context.finding();
  const Reaction client = reaction(ended);
  finding.text =
      fmt::format("{} of {} recipients accepted, {} refused (first: \"{} {}\"); the client side {}",
                  ended.rcpt_accepted, ended.rcpt_sent, ended.rcpt_refused, ended.refusal_code,
                  ended.refusal_text, client.in_words);
  if (is_limit(ended)) {
    finding.variant = "recipient-limit";
    finding.text += "; this is how a limit on the number of recipients looks";
  }
  if (ended.finals_accepted > 0 && ended.finals_accepted < ended.finals) {
    finding.text += fmt::format("; the message was accepted for {} of the {} accepted ones",
                                ended.finals_accepted, ended.finals);
  }
  finding.attributes = {{"accepted", std::to_string(ended.rcpt_accepted)},
                        {"refused", std::to_string(ended.rcpt_refused)},
                        {"client", std::string(client.name)}};
  finding.entries = {ended.first_entry, ended.refusal_entry};
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  const Transaction& ended = *context.ended();
  if (ended.rcpt_accepted > 0 && ended.rcpt_refused > 0) {
    report_envelope(context, ended);
    return;
  }
  // LMTP answers for each recipient (RFC 2033 4.2); different answers are normal there. What the
  // refusals mean is told by rejected-after-data.
  if (ended.finals_accepted == 0 || ended.finals_accepted == ended.finals) return;
  Finding finding = context.finding();
  finding.severity = Severity::kInfo;
  finding.variant = "per-recipient";
  finding.text = fmt::format("the message was accepted for {} of {} recipients",
                             ended.finals_accepted, ended.finals);
  finding.attributes = {{"accepted", std::to_string(ended.finals_accepted)},
                        {"answers", std::to_string(ended.finals)}};
  finding.entries = {ended.first_entry, ended.final_entry};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace partial_rcpt_accept

const Rule kPartialRcptAccept = {
    .id = "partial-rcpt-accept",
    .category = Category::kTransaction,
    .severity = Severity::kNotice,
    .fault = Fault::kServer,
    .triggers = kOnTransactionEnd,
    .evaluate = partial_rcpt_accept::evaluate,
};

}  // namespace smtpscope
