#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/state/run_history.h"

namespace smtpscope {
namespace dns_timeout_signature {
namespace {

/// How many of a resolver's time limits passed (two name servers, two tries each, and the like);
/// 0: the delay does not look like that.
std::int64_t timeouts_in(Duration delay, const RuleContext& context) {
  constexpr std::array<std::int64_t, 5> kTimeouts = {1, 2, 3, 4, 6};
  const Duration period = context.threshold(Threshold::kDnsPeriod);
  if (period <= Duration::zero()) return 0;
  const Duration early = context.threshold(Threshold::kRoundEarly);
  const std::int64_t count = (delay + early) / period;
  if (std::ranges::find(kTimeouts, count) == kTimeouts.end()) return 0;
  return delay - count * period <= context.threshold(Threshold::kDnsExcess) ? count : 0;
}

/// What a server looks up at this point.
std::string_view looked_up(const RuleContext& context) {
  if (context.reply()->answers == Answers::kGreeting) return "the client's address";
  switch (context.answered()->verb) {
    case Verb::kMail:
      return "the sender's domain, or the client in a blocklist";
    case Verb::kRcpt:
      return "the recipient's domain, or the client in a blocklist";
    default:
      return "the client's name or address";
  }
}

struct History {
  bool same_again = false;    // this client was kept waiting as long in another session
  bool other_spared = false;  // and another client was not
};

History compare(const RuleContext& context, Duration delay, Duration spread) {
  const std::string& host = context.session().client_host;
  const ClientRecord* client = context.history().find_client(host);
  if (client == nullptr) return {};
  const Duration before = client->slow_session == context.session_number()
                              ? client->slow_reply_before
                              : client->slow_reply;
  return {.same_again = std::chrono::abs(before - delay) <= spread,
          .other_spared = context.history().another_was_spared(host, delay, spread)};
}

void evaluate(RuleContext& context) {
  const Entry& entry = *context.entry();
  if (!entry.think || *entry.think < context.threshold(Threshold::kGapNote)) return;
  const bool greeting = context.reply()->answers == Answers::kGreeting;
  if (!greeting && (context.answered() == nullptr || entry.unsolicited)) return;
  // Where the kernel did not measure it, the round trip may be this very delay.
  const Duration rtt = context.session().rtt_measured ? context.rtt() : Duration::zero();
  const Duration delay = *entry.think - rtt;
  const std::int64_t count = timeouts_in(delay, context);
  if (count == 0) return;

  const Duration spread = context.threshold(Threshold::kDnsExcess);
  const History history = compare(context, *entry.think, spread);
  Finding finding = context.finding();
  const bool sure = history.same_again && history.other_spared;
  finding.certainty = sure ? Certainty::kLikely : Certainty::kPossible;
  finding.text = fmt::format(
      "{} of delay is {} that resolvers wait for a name server: perhaps the server looked up {} "
      "and got no answer",
      duration_text(delay), count == 1 ? "the time" : fmt::format("{} times the time", count),
      looked_up(context));
  if (history.same_again) finding.text += "; this client waited as long in another session";
  if (history.other_spared) finding.text += "; another client did not have to wait so long";
  if (context.answered() != nullptr) finding.entries.push_back(context.answered()->entry);
  finding.attributes = {{"delay", seconds_text(delay)},
                        {"timeouts", std::to_string(count)},
                        {"same_in_another_session", history.same_again ? "true" : "false"},
                        {"another_client_spared", history.other_spared ? "true" : "false"}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace dns_timeout_signature

const Rule kDnsTimeoutSignature = {
    .id = "dns-timeout-signature",
    .category = Category::kTiming,
    .severity = Severity::kNotice,
    .fault = Fault::kServer,
    .certainty = Certainty::kPossible,
    .needs = kNeedsFineTimes,
    .uses = kNeedsHistory | kNeedsRtt,
    .triggers = kOnReply,
    .verbs = verbs(Verb::kEhlo, Verb::kHelo, Verb::kLhlo, Verb::kMail, Verb::kRcpt) | kGreetingOnly,
    .evaluate = dns_timeout_signature::evaluate,
};

}  // namespace smtpscope
