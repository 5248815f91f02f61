#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/reaction.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace eod_nonstandard_accepted {
namespace {

/// The commands inside a message were answered, and so was the message behind them.
void on_orphan(RuleContext& context) {
  const SmuggledEnvelope* envelope = context.session().smuggled.get();
  if (envelope == nullptr || envelope->accepted_by != context.entry()->number) return;
  Finding finding = context.finding();
  finding.variant = "smuggled";
  finding.text = fmt::format(
      "the server accepted a second message that was hidden in the first, from <{}> to <{}>: {}",
      excerpt(envelope->sender), excerpt(envelope->recipient), quoted_reply(*context.reply()));
  finding.entries = {envelope->entry};
  const std::size_t kept =
      std::min<std::size_t>(envelope->replies_seen, SmuggledEnvelope::kKeptReplies);
  finding.entries.insert(finding.entries.end(), envelope->replies.begin(),
                         envelope->replies.begin() + kept);
  finding.attributes = {{"sender", envelope->sender},
                        {"recipient", envelope->recipient},
                        {"code", std::to_string(context.reply()->code)}};
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  if (context.reply()->answers == Answers::kOrphan) {
    on_orphan(context);
    return;
  }
  const PendingExchange* asked = context.answered();
  // A refusal may have other reasons to come early: reply-during-data.
  if (asked == nullptr || !asked->at_candidate || context.reply()->first_digit() != 2) return;
  Finding finding = context.finding();
  const Reply& reply = *context.reply();
  finding.text = "the server took the message for complete";
  if (const Transaction* message = context.transaction()) {
    const std::string_view kind = to_string(message->facts.first_candidate);
    finding.text += fmt::format(" at {}", kind);
    finding.attributes = {{"kind", std::string(kind)}};
  }
  finding.text += fmt::format(", which is not its end, and accepted it: {}", quoted_reply(reply));
  finding.entries.push_back(asked->entry);
  finding.attributes.emplace_back("code", std::to_string(reply.code));
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace eod_nonstandard_accepted

const Rule kEodNonstandardAccepted = {
    .id = "eod-nonstandard-accepted",
    .category = Category::kSecurity,
    .severity = Severity::kError,
    .fault = Fault::kServer,
    .needs = kNeedsContent | kNeedsOctets,
    .triggers = kOnReply,
    .verbs = verbs(Verb::kData) | kNothingOnly,
    .evaluate = eod_nonstandard_accepted::evaluate,
};

}  // namespace smtpscope
