#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace unsolicited_421 {
namespace {

/// Where the round trip is too short to prove that the command crossed the 421 (a server on the
/// same host), the server's words prove it, if it had waited so long ...
constexpr Duration kWaited = std::chrono::seconds(30);
/// ... and said them this soon after the command.
constexpr Duration kCrossed = std::chrono::milliseconds(100);

/// The command that seems to be answered came when the server had just given up waiting for it.
bool crossed_by_its_words(const RuleContext& context) {
  const PendingExchange* asked = context.answered();
  if (asked == nullptr || asked->kind != Answers::kCommand) return false;
  const LastSilence& silence = context.session().last_silence;
  return silence.silent == Party::kClient && silence.to == asked->first &&
         silence.length() >= kWaited &&
         context.entry()->first - asked->last <= std::max(kCrossed, context.rtt()) &&
         mentions(context.reply()->last_text(), {"timeout", "time out", "timed out", "4.4.2"});
}

void evaluate(RuleContext& context) {
  const Reply& reply = *context.reply();
  const Entry& entry = *context.entry();
  if ((reply.code != 421 && reply.code != 521) || entry.by_proxy) return;
  const bool by_words = !entry.unsolicited && crossed_by_its_words(context);
  if (!entry.unsolicited && !by_words) return;

  Finding finding = context.finding();
  const SessionState& session = context.session();
  const bool owed = reply.answers != Answers::kUnsolicited;
  if (owed) finding.certainty = Certainty::kLikely;
  finding.text = fmt::format("the server ended the session by itself: {}", quoted_reply(reply));
  const LastSilence& silence = session.last_silence;
  const Time waited_until = owed ? session.last_command.first : entry.first;
  if (silence.silent == Party::kClient && silence.to == waited_until) {
    // RFC 5321 4.5.3.2.7: the server has waited as long as it should.
    if (silence.length() >= context.threshold(Threshold::kIdleTimedOut)) {
      finding.fault = Fault::kClient;
    }
    finding.text +=
        fmt::format(", after {} of silence of the client side", duration_text(silence.length()));
    finding.attributes = {{"silence", seconds_text(silence.length())}};
    if (const std::optional<RoundMatch> match =
            match_round(silence.length(), context.rtt(), context.thresholds())) {
      finding.attributes.emplace_back("round", std::to_string(kRoundSeconds[match->index]));
    }
  }
  if (owed) {
    finding.text += fmt::format("; it is no answer to {}, which had only just been sent",
                                asked_by(Answers::kCommand, session.last_command.verb));
    finding.entries.push_back(session.last_command.entry);
  }
  finding.attributes.emplace_back("code", std::to_string(reply.code));
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace unsolicited_421

const Rule kUnsolicited421 = {
    .id = "unsolicited-421",
    .category = Category::kServer,
    .severity = Severity::kWarning,
    .fault = Fault::kServer,
    .title = "The server ended the session without being asked anything",
    .means =
        "A server may say 421 at any time and close. The client sees it only when it next looks, "
        "which usually is after it has sent another command: it then reads the 421 as the answer "
        "to that command, which in truth was never carried out. Nothing is lost if the client "
        "starts a new session and sends its mail there.",
    .causes =
        "The client kept the connection open without using it, and the server's time limit "
        "ended.\n"
        "The server was stopped or restarted.\n"
        "A limit: on the age of a session, on messages per session, on load.",
    .tell_apart =
        "The text names the reason. A pause of a round length before it (300 s, 60 s, 10 s) is a "
        "time limit; no pause at all is a shutdown or a limit.",
    .advice =
        "Nothing, if the client tries again and succeeds.\n"
        "Let the client close connections that it keeps for later sooner than the server does, or "
        "check them with NOOP before use.\n"
        "Raise the server's idle limit to the five minutes that the standard asks for.",
    .caveats =
        "That a 421 crossed a command is concluded from the round trip to the server, or on the "
        "same host from the server's words.",
    .reference = "RFC 5321 3.8, 4.5.3.2.7",
    .needs = kNeedsFineTimes,
    .uses = kNeedsRtt,
    .triggers = kOnReply,
    .only = kRefusal,
    .evaluate = unsolicited_421::evaluate,
};

}  // namespace smtpscope
