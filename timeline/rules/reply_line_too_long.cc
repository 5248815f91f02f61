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
    .title = "A reply is longer than clients must accept",
    .means =
        "A line of a reply may have 512 octets. Clients may cut what is longer, skip it, or take "
        "the rest for another reply. Very many lines in one reply can exhaust a client's "
        "patience or memory.",
    .causes =
        "A policy service or filter puts a long explanation, a link or a list of addresses into "
        "one line.\n"
        "A server that prints a whole document (terms of use, HELP) as one reply.\n"
        "What listens there is no mail server.",
    .tell_apart = "The text of the reply tells which part of the server wrote it.",
    .advice =
        "Shorten the text, or break it into several lines of the same reply.\n"
        "Put the explanation on a web page and give only its address.",
    .caveats =
        "Replies to EHLO and HELP are long by nature, but each of their lines is short. The "
        "challenges of AUTH (334) may be longer and are left out.",
    .reference = "RFC 5321 4.5.3.1.5; RFC 4954 4",
    .needs = kNeedsOctets,
    .triggers = kOnReply,
    .only = kLongLine,
    .evaluate = reply_line_too_long::evaluate,
};

}  // namespace smtpscope
