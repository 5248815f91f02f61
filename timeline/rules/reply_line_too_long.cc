#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace reply_line_too_long {
namespace {

void report(RuleContext& context, std::string_view variant, std::string text,
            std::uint64_t length) {
  // Once: a server that writes long replies writes many of them.
  if (context.fired(kReplyLineTooLong, variant) > 0) return;
  Finding finding = context.finding();
  finding.variant = variant;
  finding.text = std::move(text);
  finding.attributes = {{"length", std::to_string(length)}};
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  const Reply& reply = *context.reply();
  const Item& item = *context.entry()->item;
  const std::uint64_t octets = item.end - item.begin;
  const std::uint64_t line_limit = context.threshold_count(Threshold::kReplyLine);
  const std::uint64_t lines_limit = context.threshold_count(Threshold::kReplyLines);
  if (octets <= line_limit && reply.line_count <= lines_limit) return;
  // RFC 4954 4: what AUTH exchanges is bound by no limit on lines.
  if (reply.code == 334) return;

  std::uint64_t longest = 0;
  for (const ReplyLine& line : reply.lines) longest = std::max(longest, line.octets);
  if (longest > line_limit) {
    report(context, "line",
           fmt::format("a line of the reply has {} octets; {} is the most that a client must be "
                       "able to take",
                       longest, line_limit),
           longest);
  }
  if (reply.line_count > lines_limit) {
    report(context, "lines", fmt::format("the reply has {} lines", reply.line_count),
           reply.line_count);
  }
  if (octets > context.threshold_count(Threshold::kReplyOctets)) {
    report(context, "octets",
           fmt::format("the reply has {} octets in {} lines", octets, reply.line_count), octets);
  }
}

}  // namespace
}  // namespace reply_line_too_long

const Rule kReplyLineTooLong = {
    .id = "reply-line-too-long",
    .category = Category::kServer,
    .severity = Severity::kNotice,
    .fault = Fault::kServer,
    .needs = kNeedsOctets,
    .triggers = kOnReply,
    .only = kLongLine,
    .evaluate = reply_line_too_long::evaluate,
};

}  // namespace smtpscope
