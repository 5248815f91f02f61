#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace {

void evaluate(RuleContext& context) {
  const Silence& silence = *context.silence();
  if (silence.silent != Party::kServer) return;
  // The way to the server and back is not the server's.
  const Duration length = silence.length() - context.rtt();
  if (length < context.threshold(Threshold::kGapNote)) return;
  Finding finding = context.finding();
  finding.severity = length >= std::chrono::seconds(30)                   ? Severity::kWarning
                     : length >= context.threshold(Threshold::kGapNotice) ? Severity::kNotice
                                                                          : Severity::kInfo;
  finding.text =
      fmt::format("{} of silence, the server owed {}", duration_text(length), silence.owed);
  if (context.session().last_command.entry != 0) {
    finding.entries = {context.session().last_command.entry};
  }
  finding.attributes = {{"length", seconds_text(length)}};
  context.fire(std::move(finding));
}

}  // namespace

const Rule kGapServer = {
    .id = "gap-server",
    .category = Category::kTiming,
    .severity = Severity::kInfo,
    .fault = Fault::kServer,
    .title = "The server was silent although it owed a reply",
    .means =
        "The client waited for an answer. Typical work at this moment: name service and "
        "blocklists (at connect, HELO, MAIL, RCPT), filters, checking the recipient with "
        "another server, greylisting databases, the queue disk, overload.",
    .caveats = "One lost packet costs 200 ms or more and is the network's doing.",
    .reference = "RFC 5321 4.5.3.2",
    .triggers = kOnSilence,
    .evaluate = evaluate,
};

}  // namespace smtpscope
