#include <fmt/format.h>

#include <chrono>
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
namespace {

void report(RuleContext& context, Duration stall, std::optional<std::uint64_t> offset,
            std::string_view variant, Fault fault, std::string text) {
  using std::chrono::seconds;
  if (stall < seconds(2)) return;
  Finding finding = context.finding();
  finding.severity = stall >= seconds(180)  ? Severity::kError
                     : stall >= seconds(30) ? Severity::kWarning
                                            : Severity::kNotice;
  finding.fault = fault;
  finding.variant = variant;
  finding.text = std::move(text);
  finding.attributes = {{"stall", seconds_text(stall)}};
  if (offset) finding.attributes.emplace_back("offset", std::to_string(*offset));
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

const Rule kDataStall = {
    .id = "data-stall",
    .category = Category::kTiming,
    .severity = Severity::kNotice,
    .fault = Fault::kUnknown,
    .title = "The transfer of a message stood still",
    .means =
        "In the middle of the message no octet moved. Either the client had none to send (slow "
        "disk, slow producer), or the server did not take them (filter, disk, network).\n"
        "If it stops after some thousand octets and never goes on, suspect the path: packets of "
        "full size do not get through (MTU).",
    .caveats =
        "The tracer measures at its own sockets; what the operating system still held back is "
        "not seen.",
    .reference = "RFC 5321 4.5.3.2.5",
    .triggers = kOnSilence | kOnBlocked,
    .evaluate = evaluate,
};

}  // namespace smtpscope
