#include <fmt/format.h>

#include <string>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace greeting_refused {
namespace {

void evaluate(RuleContext& context) {
  const Reply& greeting = *context.reply();
  // smtpscope's own 421 for a server that cannot be reached is no word of the server.
  if (greeting.first_digit() < 4 || context.entry()->by_proxy) return;
  Finding finding = context.finding();
  finding.text =
      fmt::format("the server refused the session before it began: {}", quoted_reply(greeting));
  finding.attributes = {{"code", std::to_string(greeting.code)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace greeting_refused

const Rule kGreetingRefused = {
    .id = "greeting-refused",
    .category = Category::kServer,
    .severity = Severity::kWarning,
    .fault = Fault::kServer,
    .triggers = kOnReply,
    .verbs = kGreetingOnly,
    .only = kRefusal,
    .evaluate = greeting_refused::evaluate,
};

}  // namespace smtpscope
