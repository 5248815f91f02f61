#include <fmt/format.h>

#include "timeline/duration_text.h"
#include "timeline/evidence.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

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
  finding.text = fmt::format("{} of silence matches a timer or a fixed wait of {} s on the {} side",
                             context.measured(silence.length()), kRoundSeconds[match->index],
                             to_string(*side));
  if (times >= 2) finding.text += fmt::format(" ({} times in this session)", times);
  if (coarse) {
    finding.text += fmt::format(" (the trace tells times to {} only: a coincidence is possible)",
                                step_text(context.session().fidelity.resolution));
  } else if (maybe_chance) {
    finding.text += " (a coincidence is possible)";
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
    .title = "A silence of a round length: a timer, not work",
    .means =
        "Work takes as long as it takes; a wait of 5.00 or 10.00 s is a timer: a sleep in a "
        "program, a retry interval, a loop that looks again after a while, a name server that did "
        "not answer within its time. The timer belongs to the side that was silent. The mail is "
        "only delayed by it.",
    .causes =
        "A sleep, a retry interval or a poll loop in a program of the silent side.\n"
        "A question of the silent side that was not answered within its time limit: name service, "
        "ident, a filter.\n"
        "A delay on purpose: against clients that do not wait, after errors, or as a workaround "
        "for "
        "an old firewall.\n"
        "A limit for idle connections.",
    .tell_apart =
        "See which side was silent and where. On the client side, 1 s is known of sSMTP while its "
        "input is empty, 10 s of Postfix before the final dot for old PIX firewalls, 20 s of "
        "Postfix "
        "waiting for the reply to RSET. On the server side, 1 s is known of Postfix after errors, "
        "2 "
        "s and 6 s of its postscreen before the greeting, 5 s of resolvers, ident queries and the "
        "tarpit of Exchange. 30 s often is a connection that is not answered; 60, 300 and 600 s "
        "are "
        "idle limits.\n"
        "Repeat the case with a larger message: a timer stays as it is, work grows.",
    .advice =
        "Repeat the session and see whether the same length comes again.\n"
        "Look for a setting of that length in the programs of the silent side.\n"
        "For 5, 10 or 20 s check name service on that side first.",
    .caveats =
        "A match names no product for certain. Chance hits happen: of pauses anywhere from 9 to 11 "
        "s, 3 of 100 land in the window around 10 s. The text says so where it may be one. A pause "
        "that begins with a network stall misses the window.",
    .reference = "measured: sleeps come out 1 to 2 ms long on a local link; resolv.conf(5)",
    .needs = kNeedsTimes,
    .uses = kNeedsRtt,
    .triggers = kOnSilence,
    .evaluate = round_pause::evaluate,
};

}  // namespace smtpscope
