#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/rfc_timeouts.h"
#include "timeline/state/round_interval.h"

namespace smtpscope {
namespace client_timeout_short {
namespace {

int nearest_round(Duration wait) {
  return *std::ranges::min_element(kRoundSeconds, {}, [&](int seconds) {
    return std::chrono::abs(wait - std::chrono::seconds(seconds));
  });
}

/// The client gave up just now: how, in words; "" if it did not.
std::string_view gave_up(const RuleContext& context) {
  if (const Command* quit = context.command()) {
    return quit->pending_before > 0 ? "said QUIT" : "";
  }
  const Closed& closed = *context.closed();
  if (closed.from != Side::kClient || closed.by_proxy) return "";
  if (context.session().first_closer != Side::kClient) return "";
  // The operating system's own time limit is not the program's.
  if (closed.kind == CloseKind::kReset) return "reset the connection";
  return closed.kind == CloseKind::kFin ? "closed the connection" : "";
}

void evaluate(RuleContext& context) {
  const std::string_view how = gave_up(context);
  // QUIT, a FIN and a reset are stages of one leave-taking; the first tells how long it waited.
  if (how.empty() || context.fired(kClientTimeoutShort, "timer") > 0 ||
      context.fired(kClientTimeoutShort, "not-round") > 0) {
    return;
  }
  // A client that does not wait at all but closes its half at once has no time limit that shows.
  const LastSilence& silence = context.session().last_silence;
  if (silence.silent != Party::kServer || silence.to != context.now()) return;
  const std::optional<RfcTimeout> timeout = rfc_timeout(silence.owed);
  if (!timeout) return;
  const Duration wait = silence.length();
  const std::int64_t share = context.thresholds().value(Threshold::kClientTimeoutShare);
  if (wait * 100 >= timeout->least * share) return;

  Finding finding = context.finding();
  // The client waits as long as it takes to notice that nobody answers: no round trip in it.
  const bool round = match_round(wait, Duration::zero(), context.thresholds()).has_value();
  // Somebody may have pressed Cancel; a timer goes off on time.
  finding.variant = round ? "timer" : "not-round";
  finding.severity = round ? Severity::kWarning : Severity::kNotice;
  finding.certainty = round ? Certainty::kLikely : Certainty::kPossible;
  const bool end_of_data = silence.owed == kOwedEndOfData;
  finding.text = fmt::format(
      "the client side {} after waiting {} for {}; it should allow {} s (RFC 5321 {}){}{}", how,
      context.measured(wait), silence.owed, timeout->least / std::chrono::seconds(1),
      timeout->section,
      round ? fmt::format("; its time limit seems to be {} s", nearest_round(wait))
            : "; no round number, so it may have been a person who cancelled",
      end_of_data ? "; the server may have taken the message, and then it comes again" : "");
  finding.entries.push_back(context.session().last_command.entry);
  finding.attributes = {{"wait", seconds_text(wait)},
                        {"minimum", seconds_text(timeout->least)},
                        {"nearest_round", std::to_string(nearest_round(wait))}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace client_timeout_short

const Rule kClientTimeoutShort = {
    .id = "client-timeout-short",
    .category = Category::kTiming,
    .severity = Severity::kWarning,
    .fault = Fault::kClient,
    .needs = kNeedsTimes,
    .uses = kNeedsCloseKind,
    .triggers = kOnClose | kOnCommand,
    .verbs = verbs(Verb::kQuit),
    .evaluate = client_timeout_short::evaluate,
};

}  // namespace smtpscope
