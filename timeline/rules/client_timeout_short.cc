#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/round_interval.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/rfc_timeouts.h"

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
  if (how.empty()) return;
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
    .title = "The client side did not wait as long as the standard asks",
    .means =
        "A reply was still to come, and the client side gave up sooner than it should. A server "
        "may need minutes. After the end of a message this does harm: the server may have taken "
        "the message, and the client sends it again.\n"
        "Variant timer: it waited for a round time, which is how long its limit is. Variant "
        "not-round: for any other time, perhaps because somebody cancelled.",
    .causes =
        "A time limit in the program or its mail library, often 10, 30 or 60 s for everything.\n"
        "A limit of a job, a web request or a proxy around the program.\n"
        "A person who did not want to wait.",
    .tell_apart =
        "Repeat it: a time limit strikes at the same second each time. Then look for that number "
        "in the settings of the program and of what calls it.",
    .advice =
        "Raise the client's limits: ten minutes after the end of the message, five for the "
        "greeting, MAIL and RCPT, two for DATA.\n"
        "Make the server answer sooner; see what it does at this point.\n"
        "Let the client hand its mail to a mail server near by that has the patience.",
    .caveats =
        "A pause shorter than gap.note is not looked at. Where the standard names no time (EHLO, "
        "RSET, AUTH and others) nothing is said.",
    .reference = "RFC 5321 4.5.3.2, 6.1",
    .needs = kNeedsTimes,
    .uses = kNeedsCloseKind,
    .triggers = kOnClose | kOnCommand,
    .verbs = verbs(Verb::kQuit),
    .evaluate = client_timeout_short::evaluate,
};

}  // namespace smtpscope
