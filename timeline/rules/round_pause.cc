#include <fmt/format.h>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/unmet_needs.h"

namespace smtpscope {
namespace round_pause {
namespace {

/// Whose timer it is: whoever was silent. A silence that nobody in particular owed names nobody.
std::optional<Side> side_of(Party party) {
  if (party == Party::kClient) return Side::kClient;
  if (party == Party::kServer) return Side::kServer;
  return std::nullopt;
}

void evaluate(RuleContext& context) {
  const Silence& silence = *context.silence();
  const std::optional<Side> side = side_of(silence.silent);
  if (!side) return;
  // What the server's silence contains of the way there and back is no waiting of its.
  const Duration rtt = context.rtt();
  const Duration wait = *side == Side::kServer ? silence.length() - rtt : silence.length();
  const std::optional<RoundMatch> match =
      match_round(wait, rtt, context.thresholds(), context.session().fidelity.resolution);
  if (!match) return;

  const int times = context.session().round_silences[index(*side)][match->index];
  const bool in_data = silence.owed == kOwedMailData;
  // One second: by chance too often in the command phase; before the final dot it is the business
  // of pre-dot-pause.
  if (match->interval == std::chrono::seconds(1) && (in_data || times < 2)) return;

  // Longer round pauses are rarer by chance, the window being as wide as ever.
  const bool sure = times >= 2 || match->interval >= std::chrono::seconds(5);
  // Measured sleeps overshoot by 1 to 2 ms on a local link; further off, chance is a rival.
  // Of two stamps of a coarse clock about half of all lengths around the interval look like it.
  const bool coarse = context.session().fidelity.resolution >= kCoarseTimes;
  const bool maybe_chance = coarse || (times < 2 && match->excess > std::chrono::milliseconds(10));

  Finding finding = context.finding();
  finding.fault = *side == Side::kClient ? Fault::kClient : Fault::kServer;
  finding.certainty = sure && !maybe_chance ? Certainty::kLikely : Certainty::kPossible;
  finding.text =
      fmt::format("{} match a timer of {} s on the {} side", context.measured(silence.length()),
                  kRoundSeconds[match->index], to_string(*side));
  if (times >= 2) finding.text += fmt::format(" ({} times in this session)", times);
  if (coarse) {
    finding.text +=
        fmt::format("; times in the trace are exact to {} only: a coincidence is possible",
                    step_text(context.session().fidelity.resolution));
  } else if (maybe_chance) {
    finding.text += "; a coincidence is possible";
  }
  finding.attributes = {{"silence", seconds_text(silence.length())},
                        {"round", std::to_string(kRoundSeconds[match->index])},
                        {"excess", seconds_text(match->excess)},
                        {"times", std::to_string(times)},
                        {"confidence", sure && !maybe_chance ? "high" : "low"}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace round_pause

const Rule kRoundPause = {
    .id = "round-pause",
    .category = Category::kTiming,
    .severity = Severity::kNotice,
    .fault = Fault::kUnknown,
    .certainty = Certainty::kPossible,
    .needs = kNeedsTimes,
    .uses = kNeedsRtt,
    .triggers = kOnSilence,
    .evaluate = round_pause::evaluate,
};

}  // namespace smtpscope
