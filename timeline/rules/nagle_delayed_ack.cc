#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/state/read_pace.h"

namespace smtpscope {
namespace nagle_delayed_ack {
namespace {

/// How many stalls prove a habit.
constexpr std::size_t kRepeated = 2;

std::string_view variant_of(AckDelay delay) {
  switch (delay) {
    case AckDelay::k40ms:
      return "40ms";
    case AckDelay::k100ms:
      return "100ms";
    case AckDelay::k200ms:
      return "200ms";
  }
  return "";
}

/// So long a way explains the pause without any delayed acknowledgement.
bool explained_by_distance(const RuleContext& context, Side side, Duration stall) {
  const SessionState& session = context.session();
  if (side == Side::kClient) return session.rtt_c && stall <= *session.rtt_c * 3 / 2;
  return session.rtt_measured && stall <= context.rtt() * 3 / 2;
}

// The stalls are of 220 ms at most, so no silence is told for them and there is none to fold.
void evaluate(RuleContext& context) {
  const Entry& entry = *context.entry();
  if (entry.read_count < 2) return;
  const AckStalls stalls = ack_stalls(entry.reads);
  if (stalls.count == 0) return;
  const Side side = entry.item->side;
  const auto* data = std::get_if<MailData>(&entry.item->body);
  const bool content = data != nullptr || std::holds_alternative<Chunk>(entry.item->body);
  std::size_t times = stalls.count;
  if (content) {
    // Before the 354 it is not the client's turn.
    if (data != nullptr && data->early_octets > 0) return;
    const bool at_its_start = stalls.first == 1;
    if (times < kRepeated && !at_its_start) return;
  } else {
    // A command or a reply is short; what counts is that it happens again.
    const std::size_t in_all = context.session().ack_stalls[index(side)];
    if (in_all < kRepeated || in_all - times >= kRepeated) return;
    times = in_all;
  }
  if (explained_by_distance(context, side, stalls.length)) return;
  // A program writes like this all the time; saying it once is enough.
  if (context.fired(kNagleDelayedAck) > 0) return;

  Finding finding = context.finding();
  finding.variant = variant_of(stalls.delay);
  finding.certainty = Certainty::kLikely;
  finding.text = fmt::format(
      "{} between two small pieces of {}{}: the {} side writes in small pieces, and its system "
      "waits for the acknowledgement of one before it sends the next",
      duration_text(stalls.length),
      content                 ? "the message"
      : side == Side::kClient ? "a command"
                              : "a reply",
      times > 1 ? fmt::format(" ({} such pauses)", times) : ", at its start", to_string(side));
  finding.attributes = {{"stall", seconds_text(stalls.length)},
                        {"times", std::to_string(times)},
                        {"side", std::string(to_string(side))}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace nagle_delayed_ack

const Rule kNagleDelayedAck = {
    .id = "nagle-delayed-ack",
    .category = Category::kNetwork,
    .severity = Severity::kInfo,
    .fault = Fault::kUnknown,
    .certainty = Certainty::kLikely,
    .needs = kNeedsReadTimes | kNeedsFineTimes,
    .triggers = kOnData | kOnCommand | kOnReply,
    .only = kSeveralReads,
    .evaluate = nagle_delayed_ack::evaluate,
};

}  // namespace smtpscope
