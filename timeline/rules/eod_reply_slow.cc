#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace {

void evaluate(RuleContext& context) {
  const PendingExchange* answered = context.answered();
  if (answered == nullptr || !answered->ends_message || !context.entry()->think) return;
  const Duration wait = *context.entry()->think;
  using std::chrono::seconds;
  if (wait <= seconds(10)) return;
  Finding finding = context.finding();
  finding.severity = wait > seconds(300)  ? Severity::kError
                     : wait > seconds(60) ? Severity::kWarning
                                          : Severity::kNotice;
  finding.text = fmt::format(
      "the server took {} to answer after the end of the message; clients that wait less send it "
      "again",
      duration_text(wait));
  finding.entries = {answered->entry, context.entry()->number};
  finding.attributes = {{"wait", seconds_text(wait)}};
  context.fire(std::move(finding));
}

}  // namespace

const Rule kEodReplySlow = {
    .id = "eod-reply-slow",
    .category = Category::kTiming,
    .severity = Severity::kNotice,
    .fault = Fault::kServer,
    .title = "The server took long to answer after the end of the message",
    .means =
        "Content filters, virus scan, milters or a slow queue disk work at this moment. The "
        "danger is the client's time limit: many clients wait only 30 to 60 s here although the "
        "standard asks for ten minutes, and a client that gives up sends the mail again.\n"
        "Look at what the server does between receiving and queueing.",
    .caveats = "Some servers delay this answer on purpose.",
    .reference = "RFC 5321 4.5.3.2.6, 6.1",
    .triggers = kOnReply,
    .evaluate = evaluate,
};

}  // namespace smtpscope
