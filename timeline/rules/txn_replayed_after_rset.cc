#include <fmt/format.h>

#include <utility>

#include "timeline/duration_text.h"
#include "timeline/envelope_replay.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace {

void evaluate(RuleContext& context) {
  if (!context.answers(Verb::kRcpt)) return;
  const Transaction* replay = context.transaction();
  const TransactionSummary* first = context.session().previous.get();
  if (replay == nullptr || first == nullptr) return;
  if (!replays(*replay, *first)) return;

  Finding finding = context.finding();
  finding.text = fmt::format(
      "same envelope as transaction {}, {} later, {} RSET in between: something on the client side "
      "announced this mail, withdrew it, and announced it again",
      first->number, duration_text(replay->began - first->began), first->rsets_since);
  finding.entries = {first->first_entry, first->last_entry, replay->first_entry,
                     context.entry()->number};
  finding.attributes = {{"first_transaction", std::to_string(first->number)},
                        {"rset_count", std::to_string(first->rsets_since)},
                        {"gap", seconds_text(replay->began - first->last_rset_reply)}};
  if (first->rsets_since > 1) {
    finding.attributes.emplace_back("rset_spacing", seconds_text(first->first_rset_spacing));
  }
  context.fire(std::move(finding));
}

}  // namespace

const Rule kTxnReplayedAfterRset = {
    .id = "txn-replayed-after-rset",
    .category = Category::kTransaction,
    .severity = Severity::kWarning,
    .fault = Fault::kUnknown,
    .title = "The same envelope was announced, thrown away with RSET, and announced again",
    .means =
        "The client side named a sender and recipients, the server accepted them all, the "
        "client side dropped them with RSET without sending a message, and later announced "
        "exactly the same envelope again.\n"
        "Applications hardly ever do this. A program that scans outgoing mail does: it lets "
        "MAIL and RCPT through so that the application sees the real answers, takes the message "
        "itself, keeps the server waiting with RSET, scans, and then replays the envelope with "
        "the message.\n"
        "Likely causes, in order: an antivirus mail shield or security suite on the client "
        "host; a scanning gateway between client and tracer; a client that checks recipients "
        "first and sends afterwards; a retry inside the application.\n"
        "What to do: 1) read the application's own log: does it show RSET? 2) during the pause, "
        "ask the client host which process owns the connection (netstat -abno, TCPView, ss "
        "-tp). 3) repeat with the mail shield off, or on a port that it does not watch. 4) "
        "record on both sides of the client host and compare.",
    .caveats =
        "Timing and order alone prove nothing about who did it. A pooling client that verifies "
        "first and sends later looks alike, but usually with one RSET and hardly any pause.",
    .reference = "RFC 5321 4.1.1.5; serverfault.com/questions/695335",
    .triggers = kOnReply,
    .evaluate = evaluate,
};

}  // namespace smtpscope
