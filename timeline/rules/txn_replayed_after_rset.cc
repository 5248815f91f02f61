#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/state/envelope_replay.h"

namespace smtpscope {
namespace txn_replayed_after_rset {
namespace {

/// What else drops an envelope and announces one, as far as the evidence excludes it. Nothing that
/// lies in the future: the message has not come yet.
std::vector<std::string> ruled_out(const RuleContext& context, const TransactionSummary& first,
                                   Duration gap) {
  const SessionState& session = context.session();
  std::vector<std::string> list;
  if (!first.null_sender) {
    list.emplace_back(
        "recipient verification: the sender is not the null sender, and the question had its "
        "answer "
        "the first time");
  }
  list.emplace_back(session.messages_completed == 0
                        ? "connection-cache probe: no message came before"
                        : "connection-cache probe: it comes between transactions, this RSET came "
                          "inside one");
  list.emplace_back("refused recipients: none was refused");
  list.emplace_back("greylisting: no recipient was put off");
  const RsetRun* run = session.rset_run.get();
  if (run != nullptr && run->count >= first.rsets_since && run->all_accepted) {
    list.emplace_back("a fault of the server: it answered RSET as RFC 5321 4.1.1.5 asks");
  }
  const auto round = match_round(gap, context.rtt(), context.thresholds());
  if (round && round->interval == std::chrono::seconds(10)) {
    list.emplace_back(
        "Postfix's 10 s workaround for PIX firewalls: it comes before the final dot, this pause "
        "before MAIL");
  }
  return list;
}

void evaluate(RuleContext& context) {
  if (!context.answers(Verb::kRcpt)) return;
  const Transaction* replay = context.transaction();
  const TransactionSummary* first = context.session().previous.get();
  if (replay == nullptr || first == nullptr) return;
  if (!replays(*replay, *first)) return;

  Finding finding = context.finding();
  finding.text = fmt::format(
      "transaction {} again, {} later: with {} RSET in between something on the client side "
      "announced this mail, withdrew it, and announced it again",
      first->number, context.measured(replay->began - first->began), first->rsets_since);
  finding.entries = {first->first_entry, first->last_entry, replay->first_entry,
                     context.entry()->number};
  const Duration gap = replay->began - first->last_rset_reply;
  finding.attributes = {{"first_transaction", std::to_string(first->number)},
                        {"rset_count", std::to_string(first->rsets_since)},
                        {"gap", seconds_text(gap)}};
  if (first->rsets_since > 1) {
    finding.attributes.emplace_back("rset_spacing", seconds_text(first->first_rset_spacing));
  }
  // A message that was changed in transit may be announced with another SIZE (RFC 1870 6).
  if (replay->parameters != first->parameters) {
    finding.text += fmt::format(", with other parameters (first \"{}\", then \"{}\")",
                                first->parameters, replay->parameters);
    finding.attributes.emplace_back("parameters", "changed");
  }
  finding.ruled_out = ruled_out(context, *first, gap);
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace txn_replayed_after_rset

// That the envelope came twice is seen; that somebody in between is the reason is only likely. What
// becomes of the second transaction lies in the future here; its own outcome tells.
const Rule kTxnReplayedAfterRset = {
    .id = "txn-replayed-after-rset",
    .category = Category::kTransaction,
    .severity = Severity::kWarning,
    .fault = Fault::kUnknown,
    .certainty = Certainty::kLikely,
    .triggers = kOnReply,
    .verbs = verbs(Verb::kRcpt),
    .evaluate = txn_replayed_after_rset::evaluate,
};

}  // namespace smtpscope
