#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/counted.h"
#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/wire_text.h"
#include "timeline/state/pending_exchanges.h"

namespace smtpscope {
namespace lmtp_reply_count {
namespace {

constexpr std::string_view kTooFew = "too-few";
constexpr std::string_view kTooMany = "too-many";

/// The client goes on, having waited in vain. A pipelining one may go on while replies are coming.
void on_command(RuleContext& context) {
  const LastReply& last = context.session().last_reply;
  const std::uint32_t owed = context.command()->pending_before;
  if (owed == 0 || (last.answers != Answers::kEndOfData && last.verb != Verb::kBdat)) return;
  const Duration waited = context.entry()->first - last.last;
  if (waited < context.threshold(Threshold::kLmtpWait)) return;
  const PendingExchange* awaited = context.pending().awaited();
  if (awaited == nullptr || !awaited->answered || !awaited->ends_message) return;
  Finding finding = context.finding();
  finding.variant = kTooFew;
  finding.transaction = awaited->transaction;
  finding.text = fmt::format(
      "the message was owed {}, one per accepted recipient; the client side waited {} "
      "and went on",
      counted(owed, "more reply"), context.measured(waited));
  finding.entries = {awaited->entry, last.entry, context.entry()->number};
  finding.attributes = {{"missing", std::to_string(owed)}, {"waited", seconds_text(waited)}};
  context.fire(std::move(finding));
}

void on_transaction_end(RuleContext& context) {
  const Transaction* ended = context.ended();
  if (!ended->data_sent || ended->finals == 0 || ended->finals >= ended->rcpt_accepted) return;
  if (context.session().hangup_code != 0) return;  // RFC 5321 3.8: no more will come
  Finding finding = context.finding();
  finding.variant = kTooFew;
  finding.text = fmt::format(
      "the server gave {} to the message, although {} recipients were accepted and each is "
      "owed one",
      counted(ended->finals, "reply"), ended->rcpt_accepted);
  finding.entries = {ended->first_entry, context.session().last_reply.entry};
  finding.attributes = {{"accepted", std::to_string(ended->rcpt_accepted)},
                        {"replies", std::to_string(ended->finals)}};
  context.fire(std::move(finding));
}

void on_extra_reply(RuleContext& context) {
  const Reply& reply = *context.reply();
  if (reply.answers != Answers::kOrphan || !reply.complete) return;
  const SessionState& session = context.session();
  const Verb sent = session.last_command.verb;
  if (sent != Verb::kData && sent != Verb::kBdat) return;
  if (session.holes > 0 || context.fired(kLmtpReplyCount, kTooMany) > 0) return;
  Finding finding = context.finding();
  finding.variant = kTooMany;
  finding.text = fmt::format("the server said {} although every accepted recipient had its reply",
                             quoted_reply(reply));
  if (const TransactionSummary* message = session.previous.get()) {
    finding.text += fmt::format(" ({} accepted)", message->rcpt_accepted);
    finding.attributes = {{"accepted", std::to_string(message->rcpt_accepted)}};
  }
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  if (context.session().hello != SessionState::Hello::kLhlo) return;
  // The replies to a message are counted before any other, so no reply ends it too soon.
  if (context.reply() != nullptr) {
    if (context.ended() == nullptr) on_extra_reply(context);
    return;
  }
  // Once: it is how that server works.
  if (context.fired(kLmtpReplyCount, kTooFew) > 0) return;
  if (context.ended() != nullptr) {
    on_transaction_end(context);
  } else if (context.command() != nullptr) {
    on_command(context);
  }
}

}  // namespace
}  // namespace lmtp_reply_count

const Rule kLmtpReplyCount = {
    .id = "lmtp-reply-count",
    .category = Category::kServer,
    .severity = Severity::kError,
    .fault = Fault::kServer,
    .triggers = kOnCommand | kOnReply | kOnTransactionEnd,
    .replies_to = kNothingOnly,  // replies too many answer nothing
    .evaluate = lmtp_reply_count::evaluate,
};

}  // namespace smtpscope
