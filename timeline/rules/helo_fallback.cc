#include <fmt/format.h>

#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace helo_fallback {
namespace {

void evaluate(RuleContext& context) {
  const SessionState& session = context.session();
  const LastHello& before = session.last_hello;
  // 521 and 421 end the session; a 4yz may pass, and is no reason to do without extensions.
  const bool fallback = before.verb == Verb::kEhlo && before.code / 100 == 5 && before.code != 521;
  const bool never_asked = before.entry == 0 && !session.mid_session && session.holes == 0 &&
                           session.greeting == SessionState::Greeting::kOk &&
                           session.server_extended;
  if (!fallback && !never_asked) return;

  Finding finding = context.finding();
  if (fallback) {
    finding.variant = "after-refusal";
    finding.text = fmt::format(
        "the server had refused EHLO with {}, so the client side fell back to HELO: the session "
        "goes on without any extension",
        before.code);
    finding.entries.push_back(before.entry);
    finding.attributes = {{"ehlo_reply", std::to_string(before.code)}};
  } else {
    finding.variant = "helo-only";
    finding.severity = Severity::kInfo;
    finding.fault = Fault::kClient;
    finding.text =
        "the client side began with HELO although the greeting says ESMTP: it will not learn of "
        "any extension";
  }
  context.fire_when_answered(std::move(finding));
}

}  // namespace
}  // namespace helo_fallback

const Rule kHeloFallback = {
    .id = "helo-fallback",
    .category = Category::kExtension,
    .severity = Severity::kNotice,
    .fault = Fault::kServer,
    .triggers = kOnCommand,
    .verbs = verbs(Verb::kHelo),
    .evaluate = helo_fallback::evaluate,
};

}  // namespace smtpscope
