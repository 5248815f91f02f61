#include <fmt/format.h>

#include <string>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/rfc_timeouts.h"

namespace smtpscope {
namespace gap_server {
namespace {

void evaluate(RuleContext& context) {
  const Silence& silence = *context.silence();
  if (silence.silent != Party::kServer) return;
  // After 221 and 421 it owes the close, which is no reply: server-closed-without-421 tells.
  if (silence.owed == kOwedClose) return;
  // The way to the server and back is not the server's.
  const Duration length = silence.length() - context.rtt();
  if (length < context.threshold(Threshold::kGapNote)) return;

  Finding finding = context.finding();
  const auto limit = rfc_timeout(silence.owed);
  const auto share = static_cast<std::int64_t>(context.threshold_count(Threshold::kGapServerShare));
  const bool large_share = limit && length > limit->least * share / 100;
  finding.severity = large_share || length >= context.threshold(Threshold::kGapServerWarning)
                         ? Severity::kWarning
                     : length >= context.threshold(Threshold::kGapNotice) ? Severity::kNotice
                                                                          : Severity::kInfo;
  finding.text =
      fmt::format("{} of silence, the server owed {}", context.measured(length), silence.owed);
  finding.attributes = {{"length", seconds_text(length)}};
  if (large_share) {
    finding.text += fmt::format("; clients need not wait longer than {} (RFC 5321 {})",
                                duration_text(limit->least), limit->section);
    finding.attributes.emplace_back("rfc_least", seconds_text(limit->least));
  }
  finding.entries = {context.session().entries};  // what preceded it
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace gap_server

const Rule kGapServer = {
    .id = "gap-server",
    .category = Category::kTiming,
    .severity = Severity::kInfo,
    .fault = Fault::kServer,
    .needs = kNeedsTimes,
    .uses = kNeedsRtt,
    .triggers = kOnSilence,
    .evaluate = gap_server::evaluate,
};

}  // namespace smtpscope
