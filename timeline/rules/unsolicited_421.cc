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
    .needs = kNeedsFineTimes,
    .uses = kNeedsRtt,
    .triggers = kOnReply,
    .only = kRefusal,
    .evaluate = unsolicited_421::evaluate,
};

}  // namespace smtpscope
