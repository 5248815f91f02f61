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
  if (silence.silent != Party::kClient) return;
  const Duration length = silence.length();
  Finding finding = context.finding();
  finding.severity = length >= std::chrono::seconds(60)                   ? Severity::kWarning
                     : length >= context.threshold(Threshold::kGapNotice) ? Severity::kNotice
                                                                          : Severity::kInfo;
  finding.text =
      fmt::format("{} of silence, the client side owed {}", duration_text(length), silence.owed);
  if (context.session().last_reply.entry != 0) {
    finding.entries = {context.session().last_reply.entry};
  }
  finding.attributes = {{"length", seconds_text(length)}};
  context.fire(std::move(finding));
}

}  // namespace

const Rule kGapClient = {
    .id = "gap-client",
    .category = Category::kTiming,
    .severity = Severity::kInfo,
    .fault = Fault::kClient,
    .title = "The client side was silent although it was its turn",
    .means =
        "The server had answered everything and waited. The client side was busy with something "
        "else: a user, a disk, producing the message, a scanner, a schedule.",
    .caveats = "A person who types commands by hand is slow by nature.",
    .reference = "RFC 5321 4.5.3.2.7",
    .triggers = kOnSilence,
    .evaluate = evaluate,
};

}  // namespace smtpscope
