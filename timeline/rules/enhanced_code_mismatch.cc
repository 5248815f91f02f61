#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "parser/conversation.h"
#include "parser/enhanced_code.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace enhanced_code_mismatch {
namespace {

bool is_hello(const Reply& reply) {
  return reply.answers == Answers::kCommand &&
         (reply.verb == Verb::kEhlo || reply.verb == Verb::kHelo || reply.verb == Verb::kLhlo);
}

/// Once per variant: it is how the server writes its replies, or those of one kind.
void report(RuleContext& context, std::string_view variant, Severity severity, std::string text) {
  if (context.fired(kEnhancedCodeMismatch, variant) > 0) return;
  Finding finding = context.finding();
  finding.variant = variant;
  finding.severity = severity;
  finding.text = std::move(text);
  if (context.answered() != nullptr) finding.entries.push_back(context.answered()->entry);
  finding.attributes = {{"code", std::to_string(context.reply()->code)}};
  context.fire(std::move(finding));
}

/// RFC 2034 4: no code in the greeting, in what answers HELO or EHLO, and with 3yz. Refusals there
/// carry one with many servers, and harm nobody.
bool has_no_place(const Reply& reply) {
  const int digit = reply.first_digit();
  if (digit == 3) return true;
  return digit == 2 && (reply.answers == Answers::kGreeting || is_hello(reply));
}

void evaluate(RuleContext& context) {
  const Reply& reply = *context.reply();
  const int digit = reply.first_digit();
  if (digit < 2 || digit > 5 || reply.lines.empty() || !reply.complete) return;
  if (context.entry()->by_proxy) return;
  const std::optional<EnhancedCode> first = enhanced_code(reply.lines.front().text);
  const bool one_line = reply.lines.size() == 1;
  const bool plain = reply.answers != Answers::kGreeting && !is_hello(reply) && digit != 3;
  if (plain && one_line && first && first->status_class == digit) return;  // the usual case
  const bool refused_hello = is_hello(reply) && digit != 2;
  const bool greeting = reply.answers == Answers::kGreeting;
  const auto offered = [&] {
    return context.conversation().capabilities().has("ENHANCEDSTATUSCODES");
  };

  if (has_no_place(reply)) {
    // What is offered becomes known with EHLO: in a greeting the code cannot be meant yet.
    if (!first || (!greeting && !offered())) return;
    report(context, "misplaced", Severity::kInfo,
           fmt::format("the reply {} carries an enhanced status code, where none may stand",
                       quoted_reply(reply.code, reply.lines.front().text)));
    return;
  }
  if (first && first->status_class != digit) {
    report(context, "class", offered() ? Severity::kNotice : Severity::kInfo,
           fmt::format("the reply contradicts itself: code {}, but enhanced status code {}.{}.{}",
                       reply.code, first->status_class, first->subject, first->detail));
    return;
  }
  if (greeting || refused_hello) return;
  const auto same_as_first = [&](const ReplyLine& line) {
    return enhanced_code(line.text) == first;
  };
  const bool alike = one_line || std::ranges::all_of(reply.lines.subspan(1), same_as_first);
  if ((first && alike) || !offered()) return;
  if (!alike) {
    report(context, "lines", Severity::kNotice,
           fmt::format("the {} lines of the reply {} do not carry the same enhanced status code",
                       reply.line_count, reply.code));
    return;
  }
  report(context, "missing", Severity::kInfo,
         fmt::format("the reply {} has no enhanced status code, although the server offers them",
                     quoted_reply(reply)));
}

}  // namespace
}  // namespace enhanced_code_mismatch

const Rule kEnhancedCodeMismatch = {
    .id = "enhanced-code-mismatch",
    .category = Category::kServer,
    .severity = Severity::kNotice,
    .fault = Fault::kServer,
    .triggers = kOnReply,
    .evaluate = enhanced_code_mismatch::evaluate,
};

}  // namespace smtpscope
