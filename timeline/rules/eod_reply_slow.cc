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
    .title = "The server took long to answer after the end of the message",
    .means =
        "The server had the whole message and let the client wait for its yes or no. The standard "
        "asks clients to wait ten minutes here, but many wait only 30 to 60 seconds. A client that "
        "gives up does not know that the server may have taken the mail, sends it again, and the "
        "recipient gets it twice.",
    .causes =
        "Content filters: spam and virus scanners, milters.\n"
        "A slow or full queue disk.\n"
        "The server delivers the message, or asks another server, before it answers.\n"
        "A delay on purpose, against spam.",
    .tell_apart =
        "If the time grows with the size of the message or with attachments, it is scanning. If it "
        "is the same for every message, it is a time limit somewhere behind, or on purpose. If all "
        "messages are slow at certain hours, it is load or the disk.",
    .advice =
        "Read the server's log for this message: which step took the time?\n"
        "Give the filters a time limit well below a minute, or let them work after queueing.\n"
        "Raise the time limits of the clients to ten minutes.",
    .caveats =
        "Some servers delay this answer on purpose; Exchange may wait for a second copy of the "
        "message (MaxAcknowledgementDelay).",
    .reference = "RFC 5321 4.5.3.2.6, 6.1",
    .needs = kNeedsContent | kNeedsTimes,
    .triggers = kOnReply,
    .verbs = verbs(Verb::kData, Verb::kBdat, Verb::kBurl),
    .evaluate = eod_reply_slow::evaluate,
};

}  // namespace smtpscope
