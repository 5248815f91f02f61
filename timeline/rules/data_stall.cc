#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "parser/conversation.h"
#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace data_stall {
namespace {

void report(RuleContext& context, Duration stall, std::optional<std::uint64_t> offset,
            std::string_view variant, Fault fault, std::string text) {
  if (stall < context.threshold(Threshold::kDataStallNotice)) return;
  Finding finding = context.finding();
  finding.severity = stall >= context.threshold(Threshold::kDataStallError)     ? Severity::kError
                     : stall >= context.threshold(Threshold::kDataStallWarning) ? Severity::kWarning
                                                                                : Severity::kNotice;
  finding.fault = fault;
  finding.variant = variant;
  finding.text = std::move(text);
  finding.attributes = {{"stall", seconds_text(stall)}};
  if (offset) {
    finding.text += fmt::format(", after octet {} of the message", *offset);
    finding.attributes.emplace_back("offset", std::to_string(*offset));
  }
  context.fire(std::move(finding));
}

void evaluate(RuleContext& context) {
  if (const TimelineBlocked* blocked = context.blocked()) {
    if (blocked->to != Side::kServer) return;
    const Conversation::Phase phase = context.conversation().phase();
    if (phase != Conversation::Phase::kMailData && phase != Conversation::Phase::kChunk) return;
    const Duration stall = blocked->until - blocked->from;
    std::optional<std::uint64_t> offset;
    if (const MessageScanner* scanner = context.conversation().scanner()) {
      offset = scanner->wire_octets();
    }
    report(context, stall, offset, "server", Fault::kServer,
           fmt::format("the server side took no message octets for {} ({} octets waited)",
                       duration_text(stall), blocked->octets));
    return;
  }
  const Silence& silence = *context.silence();
  if (silence.silent != Party::kClient) return;
  if (silence.owed != kOwedMailData && silence.owed != kOwedChunk) return;
  const Duration stall = silence.length();
  report(context, stall, silence.message_octets, "client", Fault::kClient,
         fmt::format("no message octets from the client side for {}", duration_text(stall)));
}

}  // namespace
}  // namespace data_stall

const Rule kDataStall = {
    .id = "data-stall",
    .category = Category::kTiming,
    .severity = Severity::kNotice,
    .fault = Fault::kUnknown,
    .needs = kNeedsTimes | kNeedsContent,
    .uses = kNeedsReadTimes | kNeedsRtt,
    .triggers = kOnSilence | kOnBlocked,
    .evaluate = data_stall::evaluate,
};

}  // namespace smtpscope
