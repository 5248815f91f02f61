#include <fmt/format.h>

#include <string>
#include <utility>

#include "parser/conversation.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace reply_during_data {
namespace {

void report(RuleContext& context, std::string_view variant, std::string_view when) {
  const Reply& reply = *context.reply();
  Finding finding = context.finding();
  finding.variant = variant;
  finding.text = fmt::format("the server answered {} {}", quoted_reply(reply), when);
  finding.attributes = {{"code", std::to_string(reply.code)}};
  if (const MessageScanner* scanner = context.conversation().scanner()) {
    finding.text += fmt::format(", after {} octets of it", scanner->wire_octets());
    finding.attributes.emplace_back("octets", std::to_string(scanner->wire_octets()));
  }
  if (context.answered() != nullptr) finding.entries.push_back(context.answered()->entry);
  context.fire(std::move(finding));
}

/// The reply to a chunk that is still on its way. Without CHUNKING the server may have answered
/// the bare command (ext-command-unadvertised).
bool answers_open_chunk(const RuleContext& context) {
  const PendingExchange* asked = context.answered();
  return asked != nullptr && asked->verb == Verb::kBdat &&
         context.conversation().phase() == Conversation::Phase::kChunk &&
         context.reply()->owed_after == 0 && context.conversation().capabilities().has("CHUNKING");
}

void evaluate(RuleContext& context) {
  const Reply& reply = *context.reply();
  // 421 and 521 end the session and say so; Postfix says 521 to a BDAT that it does not want.
  if (reply.code == 421 || reply.code == 521 || context.entry()->by_proxy || !reply.complete) {
    return;
  }
  if (answers_open_chunk(context)) {
    report(context, "chunk", "while the octets of the chunk were still being sent");
    return;
  }
  const PendingExchange* asked = context.answered();
  const bool in_message = context.conversation().phase() == Conversation::Phase::kMailData;
  // The tracker knows no entry for the end of a message that has not come.
  const bool early_final =
      asked != nullptr && asked->kind == Answers::kEndOfData && asked->entry == 0;
  if (in_message && (early_final || reply.answers == Answers::kOrphan)) {
    report(context, "", "while the message was still being sent");
    return;
  }
  // The server saw an end where none was (2yz: eod-nonstandard-accepted), or refused before it.
  if (asked != nullptr && asked->at_candidate && reply.first_digit() != 2) {
    report(context, "", "before the end of the message, after what a lenient server takes for it");
  }
}

}  // namespace
}  // namespace reply_during_data

const Rule kReplyDuringData = {
    .id = "reply-during-data",
    .category = Category::kServer,
    .severity = Severity::kWarning,
    .fault = Fault::kServer,
    .needs = kNeedsContent,
    .triggers = kOnReply,
    .verbs = verbs(Verb::kData, Verb::kBdat) | kNothingOnly,
    .evaluate = reply_during_data::evaluate,
};

}  // namespace smtpscope
