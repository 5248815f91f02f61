#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/trace_limits.h"
#include "timeline/state/history_notes.h"
#include "timeline/state/run_history.h"

namespace smtpscope {
namespace duplicate_message {
namespace {

/// What may have made a client send it again.
std::string about_the_first_reply(const RuleContext& context, const MessageRecord& first) {
  if (first.reply_lost) {
    return "; the reply to the first one came when the client side was gone";
  }
  if (first.reply_wait > context.threshold(Threshold::kEodReplyNotice)) {
    return fmt::format("; the reply to the first one took {}", duration_text(first.reply_wait));
  }
  return "";
}

void evaluate(RuleContext& context) {
  const Transaction* ended = context.ended();
  if (ended->finals_accepted == 0 || ended->facts.octets == 0) return;
  if (context.session().holes > 0) {
    context.not_evaluated(kHiddenByHoles);
    return;
  }
  if (!context.history().may_know(ended->facts.digest, ended->facts.header.message_id)) return;
  const SessionId own = context.session_number();
  const MessageRecord message = message_record(*ended, own, context.session());
  // On one connection it is the same run of the client, however long ago.
  const Time remembered = context.now() - context.threshold(Threshold::kDuplicateMemory);
  const Time since = std::min(remembered, context.session().opened);
  const MessageRecord* first = context.history().find_duplicate(message, since);
  if (first == nullptr) return;
  const bool same_session = first->session == own;
  if (!same_session && first->ended < remembered) return;

  Finding finding = context.finding();
  const bool same_id = message.message_id != 0 && first->message_id == message.message_id;
  // Messages of monitoring programs may well be identical; nobody uses a Message-ID twice.
  finding.severity = same_id ? Severity::kError : Severity::kWarning;
  finding.variant = same_session ? "same-session" : "cross-session";
  const bool content = same_content(message, *first);
  finding.text = fmt::format(
      "this message was accepted {} ago already ({}), with {} and a recipient in common: at least "
      "one "
      "recipient gets it twice{}",
      duration_text(ended->ended - first->ended),
      same_session ? fmt::format("transaction {}", first->transaction)
                   : fmt::format("session {}, transaction {}", first->session, first->transaction),
      same_id && content ? "the same Message-ID, the same content"
      : same_id          ? "the same Message-ID"
                         : "the same content",
      about_the_first_reply(context, *first));
  finding.entries = {ended->first_entry, ended->data_entry, ended->final_entry};
  finding.attributes = {{"first_session", std::to_string(first->session)},
                        {"first_transaction", std::to_string(first->transaction)},
                        {"apart", seconds_text(ended->ended - first->ended)},
                        {"same_message_id", same_id ? "true" : "false"},
                        {"same_content", content ? "true" : "false"},
                        {"first_reply_lost", first->reply_lost ? "true" : "false"},
                        {"first_reply_wait", seconds_text(first->reply_wait)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace duplicate_message

const Rule kDuplicateMessage = {
    .id = "duplicate-message",
    .category = Category::kTransaction,
    .severity = Severity::kWarning,
    .fault = Fault::kClient,
    .needs = kNeedsContent,
    .uses = kNeedsHistory,
    .triggers = kOnTransactionEnd,
    .evaluate = duplicate_message::evaluate,
};

}  // namespace smtpscope
