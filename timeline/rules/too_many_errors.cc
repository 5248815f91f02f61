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
        fmt::format("the server gave up because of too many errors: {}", quoted_reply(reply));
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
    .triggers = kOnReply,
    .only = kRefusal,
    .evaluate = too_many_errors::evaluate,
};

}  // namespace smtpscope
