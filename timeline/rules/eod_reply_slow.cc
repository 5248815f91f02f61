#include <fmt/format.h>

#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace eod_reply_slow {
namespace {

void evaluate(RuleContext& context) {
  const PendingExchange* answered = context.answered();
  if (answered == nullptr || !answered->ends_message || !context.entry()->think) return;
  // A last chunk that never became whole has no end that the server could answer.
  const Transaction* message = context.ended() ? context.ended() : context.transaction();
  if (message != nullptr && !message->data_sent) return;
  const Duration wait = *context.entry()->think;
  if (wait <= context.threshold(Threshold::kEodReplyNotice)) return;
  Finding finding = context.finding();
  finding.severity = wait > context.threshold(Threshold::kEodReplyError)     ? Severity::kError
                     : wait > context.threshold(Threshold::kEodReplyWarning) ? Severity::kWarning
                                                                             : Severity::kNotice;
  finding.text = fmt::format(
      "the server took {} to answer after the end of the message; a client that waits less sends "
      "it "
      "again",
      duration_text(wait));
  finding.entries = {answered->entry, context.entry()->number};
  finding.attributes = {{"wait", seconds_text(wait)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace eod_reply_slow

const Rule kEodReplySlow = {
    .id = "eod-reply-slow",
    .category = Category::kTiming,
    .severity = Severity::kNotice,
    .fault = Fault::kServer,
    .needs = kNeedsContent | kNeedsTimes,
    .triggers = kOnReply,
    .verbs = verbs(Verb::kData, Verb::kBdat, Verb::kBurl),
    .evaluate = eod_reply_slow::evaluate,
};

}  // namespace smtpscope
