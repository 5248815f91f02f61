#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/rules/wire_text.h"

namespace smtpscope {
namespace greeting_nonstandard {
namespace {

/// Domain or address literal (RFC 5321 4.1.2, 4.1.3), generously: underscores and a final dot
/// happen and say nothing, nor do asterisks over a part of it, by who shows the text.
bool is_name(std::string_view word) {
  if (word.size() > 2 && word.front() == '[' && word.back() == ']') return true;
  const bool dotted = word.find('.') != std::string_view::npos;
  const auto allowed = [&](char c) {
    return is_alphanumeric(c) || c == '-' || c == '_' || c == '.' || (dotted && c == '*');
  };
  return !word.empty() && word.front() != '.' && std::ranges::all_of(word, allowed);
}

void evaluate(RuleContext& context) {
  const Reply& greeting = *context.reply();
  if (greeting.first_digit() != 2 || greeting.lines.empty() || context.entry()->by_proxy) return;
  // RFC 5321 4.2 wants the name on the first line of a greeting; those behind it are free text.
  const std::string_view text = greeting.lines.front().text;
  const std::string_view word =
      text.substr(0, static_cast<std::size_t>(std::ranges::find_if(text, is_blank) - text.begin()));

  const bool masked = context.session().greeting_masked;
  if (!masked && greeting.code == 220 && is_name(word)) return;

  Finding finding = context.finding();
  finding.attributes = {{"code", std::to_string(greeting.code)}};
  if (masked) {
    finding.variant = "masked";
    finding.fault = Fault::kNetwork;
    finding.certainty = Certainty::kLikely;
    finding.text =
        fmt::format("something on the path seems to have masked the greeting: {}", in_quotes(text));
  } else if (greeting.code != 220) {
    finding.variant = "code";
    finding.text = fmt::format("the greeting has code {} instead of 220", greeting.code);
  } else {
    finding.variant = "no-name";
    finding.text = word.empty() ? std::string("the greeting does not say the server's name")
                                : fmt::format(
                                      "the greeting does not begin with the server's name: {} is "
                                      "neither a domain nor an address literal",
                                      in_quotes(word));
  }
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace greeting_nonstandard

const Rule kGreetingNonstandard = {
    .id = "greeting-nonstandard",
    .category = Category::kServer,
    .severity = Severity::kInfo,
    .fault = Fault::kServer,
    .needs = kNeedsReplyLines,
    .triggers = kOnReply,
    .verbs = kGreetingOnly,
    .evaluate = greeting_nonstandard::evaluate,
};

}  // namespace smtpscope
