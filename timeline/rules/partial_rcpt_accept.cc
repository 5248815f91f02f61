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
    .title = "Some recipients were accepted and some refused",
    .means =
        "Not everybody on the envelope gets this mail. What the client did next matters (attribute "
        "client): it may have sent to the accepted ones, or given up for all of them, which many "
        "libraries do on the first refusal.\n"
        "Variant recipient-limit: the first ones were accepted and all others refused with 452, "
        "which is how servers limit the number. Variant per-recipient: in LMTP the message itself "
        "was accepted for some and not for others.",
    .causes =
        "Some of the addresses do not exist or are misspelt.\n"
        "There are more recipients than the server takes in one transaction; the client should "
        "send "
        "the rest in another one.\n"
        "Some of the recipients are elsewhere, and this client may not relay.\n"
        "Some mailboxes are full or greylisted.",
    .tell_apart =
        "Read the text of the first refusal. The place tells too: refusals from one recipient on "
        "to "
        "the end are a limit, refusals in between are about these addresses.",
    .advice =
        "Look up which recipients were refused, and why.\n"
        "See that the client sends to the accepted ones, and tells its user about the others.\n"
        "If it is a limit, let the client send the rest in another transaction.",
    .caveats =
        "With LMTP different results for each recipient are normal. A 421 is not counted: it ends "
        "the session and refuses no recipient.",
    .reference = "RFC 5321 3.3, 4.5.3.1.10; RFC 2920 3.1; RFC 2033 4.2",
    .triggers = kOnTransactionEnd,
    .evaluate = partial_rcpt_accept::evaluate,
};

}  // namespace smtpscope
