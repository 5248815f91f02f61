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
namespace reply_malformed {
namespace {

/// A server that is not one of SMTP says nothing but such lines: these many are told.
constexpr std::uint32_t kToldLines = 3;

constexpr std::string_view kLineEnding = "line-ending";

/// How lines must not end (RFC 5321 2.3.8), or "". What the end of the stream cut off is not meant
/// to have ended.
std::string_view wrong_ending(LineEnding ending, std::uint16_t flags) {
  if (ending == LineEnding::kLf) return "a bare LF";
  if (ending == LineEnding::kCrCrLf) return "CR CR LF";
  if ((flags & kHasBareCr) != 0) return "a bare CR inside";
  return {};
}

void report_ending(RuleContext& context, std::string_view what) {
  // It is a habit: every reply of such a server would give the same line.
  if (what.empty() || context.fired(kReplyMalformed, kLineEnding) > 0) return;
  Finding finding = context.finding();
  finding.severity = Severity::kWarning;
  finding.variant = kLineEnding;
  finding.text = what == "a bare CR inside"
                     ? std::string("a reply line of the server has a bare CR inside")
                     : fmt::format("a reply line of the server ends in {} instead of CRLF", what);
  finding.attributes = {{"ending", std::string(what)}};
  context.fire(std::move(finding));
}

void report_line(RuleContext& context, std::string_view line) {
  if (context.fired(kReplyMalformed, "") >= kToldLines) return;
  Finding finding = context.finding();
  // RFC 854: IAC. An old terminal server in front of the mail server negotiates at connect.
  constexpr char kIac = '\xff';
  if (line.starts_with(kIac) && context.session().greeting == SessionState::Greeting::kPending) {
    finding.severity = Severity::kNotice;
    finding.variant = "telnet";
    finding.text = "before the greeting the server side sent the octets of a telnet negotiation";
  } else if (line.empty()) {
    finding.text = "the server sent an empty line where a reply must stand";
  } else {
    finding.text = fmt::format("the server sent a line that is no reply: {}", in_quotes(line));
  }
  finding.attributes = {{"octets", std::to_string(line.size())}};
  context.fire(std::move(finding));
}

/// What may still have become a reply when the stream ended inside it.
bool is_begun_reply(std::string_view line) {
  return line.size() <= 3 && std::ranges::all_of(line, is_digit);
}

void evaluate(RuleContext& context) {
  if (const auto* garbage = std::get_if<GarbageLine>(&context.entry()->item->body)) {
    if (garbage->ending == LineEnding::kNone && is_begun_reply(garbage->text)) return;
    report_line(context, garbage->text);
    return;
  }
  const Reply* reply = context.reply();
  if (reply == nullptr || context.entry()->by_proxy) return;
  for (const ReplyLine& line : reply->lines) {
    const bool cut = line.ending == LineEnding::kNone;
    if (line.code == 0 && !cut) {
      report_line(context, line.text);
      return;
    }
    if (const std::string_view what = wrong_ending(line.ending, line.flags); !what.empty()) {
      report_ending(context, what);
      return;
    }
  }
}

}  // namespace
}  // namespace reply_malformed

const Rule kReplyMalformed = {
    .id = "reply-malformed",
    .category = Category::kServer,
    .severity = Severity::kError,
    .fault = Fault::kServer,
    .needs = kNeedsOctets,
    .triggers = kOnReply | kOnOtherEntry,
    .only = kOddLine,
    .evaluate = reply_malformed::evaluate,
};

}  // namespace smtpscope
