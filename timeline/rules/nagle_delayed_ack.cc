#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/read_pace.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

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
    .title = "Small writes wait for delayed acknowledgements",
    .means =
        "A program hands its text to the network in small pieces. The system sends the first piece "
        "and holds the next back until the first is acknowledged (Nagle's algorithm), while the "
        "receiver delays just that acknowledgement in the hope of something to send along. So both "
        "wait, for 40, 100 or 200 ms. It costs that time once per message or reply and does no "
        "harm.",
    .causes =
        "A program that writes its message or its reply line by line, without TCP_NODELAY and "
        "without a buffer.",
    .tell_apart =
        "The length tells the receiver's system: about 40 ms on Linux, 200 ms on Windows, 100 ms "
        "on BSD systems.",
    .advice =
        "Nothing needs to be done for single mails.\n"
        "If many mails are sent, let the program write whole messages at once or set TCP_NODELAY.",
    .caveats =
        "The receiver is the host of the tracer, which speaks TCP itself: the pause is that of its "
        "acknowledgements, and without the tracer it may be another. A round trip of the same "
        "length looks alike where it could not be measured.",
    .reference = "RFC 896; RFC 1122 4.2.3.2, 4.2.3.4",
    .needs = kNeedsReadTimes | kNeedsFineTimes,
    .triggers = kOnData | kOnCommand | kOnReply,
    .only = kSeveralReads,
    .evaluate = nagle_delayed_ack::evaluate,
};

}  // namespace smtpscope
