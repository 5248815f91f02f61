#include <fmt/format.h>

#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace gap_client {
namespace {

void evaluate(RuleContext& context) {
  const Silence& silence = *context.silence();
  if (silence.silent != Party::kClient) return;
  // A close is no octet that anybody could be waiting for.
  if (silence.owed == kOwedClose) return;
  const Duration length = silence.length();
  Finding finding = context.finding();
  finding.severity = length >= context.threshold(Threshold::kGapClientWarning) ? Severity::kWarning
                     : length >= context.threshold(Threshold::kGapNotice)      ? Severity::kNotice
                                                                               : Severity::kInfo;
  finding.text =
      fmt::format("{} of silence, the client side owed {}", context.measured(length), silence.owed);
  // A program sends a line at once; only a person stops in the middle of one. (How fast single
  // octets come would tell a person too, but most terminals send whole lines.)
  if (silence.owed == kOwedRestOfCommand) {
    finding.severity = Severity::kInfo;
    finding.variant = "typed";
    finding.text += ", as when a person types";
  }
  finding.entries = {context.session().entries};  // what preceded it
  finding.attributes = {{"length", seconds_text(length)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace gap_client

const Rule kGapClient = {
    .id = "gap-client",
    .category = Category::kTiming,
    .severity = Severity::kInfo,
    .fault = Fault::kClient,
    .needs = kNeedsTimes,
    .triggers = kOnSilence,
    .evaluate = gap_client::evaluate,
};

}  // namespace smtpscope
