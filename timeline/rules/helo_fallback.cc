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
    .title = "The session was opened with HELO, so it has no extensions",
    .means =
        "EHLO asks the server what it can do beyond plain SMTP; HELO is its predecessor from 1982 "
        "and asks nothing. After HELO there is no encryption (STARTTLS), no login (AUTH), no size "
        "check before the transfer (SIZE), no pipelining and no promise to keep 8-bit text "
        "intact.\n"
        "The mail still moves if the server allows it that way. Servers that demand encryption or "
        "a login will refuse it.",
    .causes =
        "after-refusal: a firewall that inspects SMTP answers EHLO itself or removes it.\n"
        "after-refusal: the server disliked the name given with EHLO (501, 550, 554) and would "
        "have liked HELO no better.\n"
        "after-refusal: a very old or very small server that does not know EHLO (500, 502).\n"
        "helo-only: a minimal client (device, script, send-only program), or one told to use HELO "
        "as a workaround.",
    .tell_apart =
        "Look at the code and text of the refused EHLO. If the same server accepts EHLO from "
        "another network, something in between is refusing it.",
    .advice =
        "Send EHLO by hand from the client's host and from the server's own, and compare the "
        "replies.\n"
        "Switch off SMTP inspection (\"fixup\") on firewalls in the path.\n"
        "helo-only: look for an option of the client that switches ESMTP or authentication on.",
    .caveats =
        "HELO alone is legal; that variant is an info. It matters only where an extension is "
        "needed.",
    .reference = "RFC 5321 3.2, 4.1.1.1, 4.1.4",
    .triggers = kOnCommand,
    .verbs = verbs(Verb::kHelo),
    .evaluate = helo_fallback::evaluate,
};

}  // namespace smtpscope
