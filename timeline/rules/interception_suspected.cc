#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/state/envelope_hash.h"
#include "timeline/state/interception_score.h"
#include "timeline/state/run_history.h"

namespace smtpscope {
namespace interception_suspected {
namespace {

using Replay = InterceptionSigns::Replay;

void judge_replay(const RuleContext& context, const Replay& replay, InterceptionScore& score) {
  // One RSET before the second try may be any client's; two, with nothing between them, mean that
  // something kept the server waiting.
  if (replay.rsets < 2) return;
  score.add(2, fmt::format("the envelope was announced again with {} RSETs between", replay.rsets));
  if (replay.round_pause >= context.threshold(Threshold::kInterceptionPause)) {
    score.add(1, fmt::format("a pause of {}, a timer's length, came before the second MAIL",
                             context.measured(replay.round_pause)));
  }
  if (replay.in_one_read && replay.wrote_slowly_before) {
    score.add(1,
              "the message then came in one piece, although this client sent earlier ones in "
              "several");
  }
}

/// The EHLO name is not the one that this client used in the session before.
bool hello_changed(const RuleContext& context) {
  const LastHello& hello = context.session().last_hello;
  const ClientRecord* client = context.history().find_client(context.session().client_host);
  if (client == nullptr || hello.entry == 0 || client->hello_hash_before == 0) return false;
  if (client->hello_hash_before == client->hello_hash) return false;
  const std::uint64_t own = sender_hash(hello.name);
  // Another session of this client may have said hello since; then nothing is known.
  return client->hello_hash == own && client->hello_hash_before != own;
}

InterceptionScore judge(const RuleContext& context) {
  InterceptionScore score;
  const SessionState& session = context.session();
  if (const InterceptionSigns* signs = session.signs.get()) {
    judge_replay(context, signs->replay, score);
    if (signs->scanned_messages > 0) {
      score.add(1, "the message bears header fields that mail scanners add");
    }
    if (signs->size_excess_repeats >= 2) {
      score.add(1, fmt::format("{} messages in a row were {} octets larger than declared",
                               signs->size_excess_repeats, signs->size_excess));
    }
  }
  if (hello_changed(context)) {
    score.add(1, "the name in EHLO or HELO is not the one that this client used before");
  }
  if (session.greeting_masked || context.fired(kEhloKeywordMangled) > 0) {
    score.add(1, "something wrote over the greeting or the EHLO keywords");
  }
  if (context.fired(kReplyDripped) > 0) score.add(1, "a reply was sent bit by bit");
  return score;
}

/// What the evidence excludes of the other explanations for a withdrawn envelope.
std::vector<std::string> ruled_out(const Replay& replay) {
  if (replay.rsets < 2) return {};
  // The replay was found only because each recipient had been accepted, and between RSET and MAIL.
  std::vector<std::string> excluded = {"refused recipients: none was refused",
                                       "a wait before the dot: it came before MAIL"};
  if (replay.message_sent) {
    excluded.emplace_back("an address check: a message followed");
  }
  if (!replay.message_before) {
    excluded.emplace_back("an idle connection's probe: no message came before");
  }
  return excluded;
}

void evaluate(RuleContext& context) {
  const InterceptionScore score = judge(context);
  const std::uint64_t wanted = context.threshold_count(Threshold::kInterceptionScore);
  if (score.points == 0 || score.points < wanted) return;
  // Only a second trace proves it; many signs together leave little else.
  constexpr std::uint64_t kLikelyScore = 5;

  Finding finding = context.finding();
  const bool likely = score.points >= kLikelyScore;
  finding.certainty = likely ? Certainty::kLikely : Certainty::kPossible;
  finding.text =
      fmt::format("something between the application and this tracer {} for the client side: {}",
                  likely ? "probably speaks" : "may be speaking", score.words);
  if (const InterceptionSigns* signs = context.session().signs.get()) {
    finding.entries = {signs->replay.first_entry, signs->replay.reset_entry,
                       signs->replay.again_entry, signs->scanned_entry};
    finding.transaction = signs->replay.transaction;
    finding.ruled_out = ruled_out(signs->replay);
  }
  finding.attributes = {{"score", std::to_string(score.points)},
                        {"threshold", std::to_string(wanted)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace interception_suspected

const Rule kInterceptionSuspected = {
    .id = "interception-suspected",
    .category = Category::kSecurity,
    .severity = Severity::kWarning,
    .fault = Fault::kUnknown,
    .certainty = Certainty::kPossible,
    .uses = kNeedsContent | kNeedsReadTimes | kNeedsHistory,
    .triggers = kOnSessionEnd,
    .evaluate = interception_suspected::evaluate,
};

}  // namespace smtpscope
