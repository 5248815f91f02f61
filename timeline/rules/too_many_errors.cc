#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace too_many_errors {
namespace {

constexpr std::string_view kTold = "told";
constexpr std::string_view kCounted = "counted";

/// The words of Postfix and Exim.
bool speaks_of_too_many(std::string_view text) {
  return mentions(text, {"too many errors", "too many syntax", "too many nonmail",
                         "too many unrecognized", "too many unknown"});
}

void evaluate(RuleContext& context) {
  const Reply& reply = *context.reply();
  if (context.entry()->by_proxy) return;
  const bool may_say_so = reply.code == 421 || reply.code == 554 || reply.code == 500;
  if (may_say_so && speaks_of_too_many(reply.last_text())) {
    if (context.fired(kTooManyErrors, kTold) > 0) return;
    Finding finding = context.finding();
    finding.variant = kTold;
    finding.text =
        fmt::format("the server has had enough of the client's errors: {}", quoted_reply(reply));
    finding.attributes = {{"code", std::to_string(reply.code)}};
    context.fire(std::move(finding));
    return;
  }
  // RFC 5321 3.1: after a refused greeting everything but QUIT is answered 503.
  if (context.session().greeting == SessionState::Greeting::kRefused) return;
  if (reply.code < 500 || reply.code > 504) return;
  const std::uint64_t errors = context.session().error_replies;
  if (errors < context.threshold_count(Threshold::kTooManyErrors)) return;
  if (context.fired(kTooManyErrors) > 0) return;
  Finding finding = context.finding();
  finding.variant = kCounted;
  finding.text =
      fmt::format("{} commands were refused as errors before any message was accepted", errors);
  finding.attributes = {{"errors", std::to_string(errors)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace too_many_errors

const Rule kTooManyErrors = {
    .id = "too-many-errors",
    .category = Category::kServer,
    .severity = Severity::kWarning,
    .fault = Fault::kClient,
    .title = "The client made more errors than servers put up with",
    .means =
        "Servers count wrong and useless commands. After some they slow down their replies, after "
        "more they hang up, whatever the client was going to send. Here that limit was reached, or "
        "is near.",
    .causes =
        "The client sent a message, or parts of it, where commands were expected.\n"
        "A client that insists on commands which this server does not know.\n"
        "A scanner that tries addresses or commands.",
    .tell_apart =
        "Read the refused commands. Lines like header fields or text are a message that was "
        "refused earlier and sent all the same; command words are a client with fixed ideas.",
    .advice =
        "Correct the first error in the session; the others usually follow from it.\n"
        "Let the client offer only what EHLO announced.\n"
        "If the client is right and only busy, raise the server's limit for it.",
    .caveats =
        "Under load some servers lower their limit to one, so that a single superfluous command "
        "is too many.",
    .reference = "RFC 5321 7.8; Postfix smtpd_hard_error_limit; Exim smtp_max_unknown_commands",
    .triggers = kOnReply,
    .only = kRefusal,
    .evaluate = too_many_errors::evaluate,
};

}  // namespace smtpscope
