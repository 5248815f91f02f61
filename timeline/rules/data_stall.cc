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
    finding.text += fmt::format(", behind octet {} of the message", *offset);
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
    .title = "The transfer of a message stood still",
    .means =
        "In the middle of the message no octet moved for a while. Variant client: the client side "
        "sent nothing. Variant server: octets were waiting, and the server side did not take them. "
        "If it goes on, the other side gives up and the message is lost or sent again.",
    .causes =
        "Variant client: the program that makes the message is slow (disk, database, a user who "
        "types).\n"
        "Variant server: the server's disk or its filter cannot keep up.\n"
        "The path swallows large packets: a wrong MTU, a tunnel or VPN whose \"too big\" messages "
        "a "
        "firewall drops.\n"
        "Packets are lost.",
    .tell_apart =
        "The variant names the side. If it stops after some thousand octets, always at about the "
        "same place, and never goes on, while short messages pass, it is the MTU. If it goes on "
        "after a while, it is a slow program or disk.",
    .advice =
        "Send a short message and a long one and compare.\n"
        "Look at load and disk of the side that the variant names.\n"
        "For the MTU: ping the other side with large packets that must not be cut (ping -M do -s "
        "1472), or set a smaller MTU and repeat.",
    .caveats =
        "smtpscope measures at its own sockets; what the operating system still held back is not "
        "seen. A server that blocks for a moment under load is normal.",
    .reference = "RFC 5321 4.5.3.2.5",
    .needs = kNeedsTimes | kNeedsContent,
    .uses = kNeedsReadTimes | kNeedsRtt,
    .triggers = kOnSilence | kOnBlocked,
    .evaluate = data_stall::evaluate,
};

}  // namespace smtpscope
