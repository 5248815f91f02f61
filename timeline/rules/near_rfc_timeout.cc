#include <fmt/format.h>

#include <optional>
#include <string_view>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/rfc_timeouts.h"

namespace smtpscope {
namespace near_rfc_timeout {
namespace {

void evaluate(RuleContext& context) {
  const Silence& silence = *context.silence();
  const bool client = silence.silent == Party::kClient;
  if (!client && silence.silent != Party::kServer) return;
  const std::optional<RfcTimeout> timeout = rfc_timeout(silence.owed);
  if (!timeout) return;
  const Duration length = silence.length();
  const std::int64_t share = context.thresholds().value(Threshold::kNearTimeoutShare);
  if (length * 100 < timeout->least * share) return;

  Finding finding = context.finding();
  finding.fault = client ? Fault::kClient : Fault::kServer;
  const std::int64_t percent = length * 100 / timeout->least;
  finding.text = fmt::format(
      "the {} side let the other wait {} for {}: {} % of the {} s that RFC 5321 {} asks to allow{}",
      client ? "client" : "server", context.measured(length), silence.owed, percent,
      timeout->least / std::chrono::seconds(1), timeout->section,
      timeout->yardstick ? " for a block of data (it names no time for a chunk)" : "");
  const SessionState& session = context.session();
  finding.entries = {client ? session.last_reply.entry : session.last_command.entry};
  finding.attributes = {{"wait", seconds_text(length)},
                        {"minimum", seconds_text(timeout->least)},
                        {"percent", std::to_string(percent)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace near_rfc_timeout

const Rule kNearRfcTimeout = {
    .id = "near-rfc-timeout",
    .category = Category::kTiming,
    .severity = Severity::kWarning,
    .fault = Fault::kUnknown,
    .needs = kNeedsTimes,
    .triggers = kOnSilence,
    .evaluate = near_rfc_timeout::evaluate,
};

}  // namespace smtpscope
