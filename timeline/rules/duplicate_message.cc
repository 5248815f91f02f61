#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/history_notes.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/trace_limits.h"
#include "timeline/run_history.h"

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
  const MessageRecord message = message_record(*ended, own);
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
      "this message was accepted {} ago already ({}), with {} and a recipient in common: somebody "
      "gets it twice{}",
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
    .title = "The same message was accepted twice for a recipient",
    .means =
        "The server took a message that it had taken before, for at least one of the same "
        "recipients: that person gets it twice. With the same Message-ID this is an error; with "
        "the same content only, a warning.\n"
        "Variant same-session: both came over this connection. Variant cross-session: the first "
        "came over another one.",
    .causes =
        "The reply to the first copy came late or not at all, so the client tried again.\n"
        "A loop in the client: it does not take the message out of its queue.\n"
        "Two programs that send the same mail, or somebody who pressed Send twice.",
    .tell_apart =
        "The text says whether the reply to the first copy was slow or lost; then lost-after-eod "
        "and eod-reply-slow tell the rest. If it was quick and well received, look for a loop or "
        "for a second sender: compare the Received fields of both copies.",
    .advice =
        "Look for the Message-ID in the client's log: how often was it sent, and why again?\n"
        "Raise the client's time limit for the reply after the message to ten minutes.\n"
        "Make the server answer sooner after the message.",
    .caveats =
        "Content is compared by size, number of lines and its first 4096 octets. Mail of "
        "monitoring programs may be identical on purpose; then the Message-ID usually differs. "
        "Only messages of this run are known, and of each the first eight recipients.",
    .reference = "RFC 5321 4.5.3.2.6, 6.1; RFC 1047",
    .needs = kNeedsContent,
    .uses = kNeedsHistory,
    .triggers = kOnTransactionEnd,
    .evaluate = duplicate_message::evaluate,
};

}  // namespace smtpscope
