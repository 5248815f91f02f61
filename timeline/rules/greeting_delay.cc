#include <fmt/format.h>

#include <string>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace greeting_delay {
namespace {

/// As long as a name server that does not answer keeps one waiting: one to four tries, or six (two
/// servers, three tries; resolv.conf(5)). Whether it is one is for dns-timeout-signature to say.
bool dns_like(const RuleContext& context, Duration delay) {
  const Duration period = context.threshold(Threshold::kDnsPeriod);
  if (period <= Duration::zero()) return false;
  const auto times = delay / period;
  const bool known = (times >= 1 && times <= 4) || times == 6;
  return known && delay - times * period <= context.threshold(Threshold::kDnsExcess);
}

void evaluate(RuleContext& context) {
  const Entry& greeting = *context.entry();
  if (context.reply()->answers != Answers::kGreeting || greeting.by_proxy) return;
  if (!context.session().connected || context.session().mid_session) return;
  // The server learns of the connection, and the greeting comes back, half a round trip later each.
  const Duration delay = greeting.last - context.session().connected_at - context.rtt();
  if (delay < context.threshold(Threshold::kGreetingInfo)) return;
  Finding finding = context.finding();
  finding.severity = delay >= context.threshold(Threshold::kGreetingError)     ? Severity::kError
                     : delay >= context.threshold(Threshold::kGreetingWarning) ? Severity::kWarning
                     : delay >= context.threshold(Threshold::kGreetingNotice)  ? Severity::kNotice
                                                                               : Severity::kInfo;
  finding.attributes = {{"delay", seconds_text(delay)}};
  const Duration teaser = greeting.last - greeting.first;
  if (teaser >= context.threshold(Threshold::kGreetingInfo)) {
    finding.variant = "split";
    finding.text = fmt::format(
        "the greeting was complete {} after the connection; its first line came {} before the last",
        context.measured(delay), context.measured(teaser));
    finding.attributes.emplace_back("teaser", seconds_text(teaser));
  } else if (dns_like(context, delay)) {
    finding.variant = "dns-like";
    finding.text = fmt::format(
        "the greeting came {} after the connection, as if a name server had not answered in time",
        context.measured(delay));
  } else {
    finding.variant = "flat";
    finding.text =
        fmt::format("the greeting came {} after the connection", context.measured(delay));
  }
  finding.entries = {greeting.number};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace greeting_delay

const Rule kGreetingDelay = {
    .id = "greeting-delay",
    .category = Category::kTiming,
    .severity = Severity::kInfo,
    .fault = Fault::kServer,
    .needs = kNeedsTimes,
    .uses = kNeedsRtt | kNeedsHistory,
    .triggers = kOnReply,
    .verbs = kGreetingOnly,
    .evaluate = greeting_delay::evaluate,
};

}  // namespace smtpscope
