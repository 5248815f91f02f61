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
    .title = "A wait came close to the time limit of the standard",
    .means =
        "The standard says how long each side should wait for the other before it gives up. This "
        "wait used up most of that time, or all of it. This time it may have gone well; next time "
        "the other side may close the connection. After the end of a message that means that the "
        "mail comes twice.",
    .causes =
        "On the server side: lookups that time out one after the other, a filter or virus scanner "
        "under load, a queue disk that does not keep up.\n"
        "On the client side: a program that waits for a person or for another program, or keeps a "
        "connection for later.",
    .tell_apart =
        "The text names the side that was silent and what it owed. Look at what that side does at "
        "this point, with the times of the trace beside its own log.",
    .advice =
        "Find and shorten the work that keeps the other side waiting.\n"
        "If that cannot be done, see that the other side's time limit is well above this time.",
    .caveats = {},
    .reference = "RFC 5321 4.5.3.2",
    .needs = kNeedsTimes,
    .triggers = kOnSilence,
    .evaluate = near_rfc_timeout::evaluate,
};

}  // namespace smtpscope
