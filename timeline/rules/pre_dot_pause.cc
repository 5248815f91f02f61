#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/read_pace.h"
#include "timeline/round_interval.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace pre_dot_pause {
namespace {

/// A timer's length that one of the two measures of the pause has.
struct Timer {
  std::chrono::seconds length{};
  Duration excess{};
  bool since_written = false;  // it is the measure from before the stall
};

std::optional<Timer> whole_seconds(Duration pause, bool since_written,
                                   const Thresholds& thresholds) {
  // A program that sleeps a second at a time makes any number of seconds, not round ones only.
  const Duration early = thresholds.duration(Threshold::kRoundEarly);
  const auto length = std::chrono::duration_cast<std::chrono::seconds>(pause + early);
  const Duration excess = pause - length;
  if (length < std::chrono::seconds(1) || excess > thresholds.duration(Threshold::kRoundLate)) {
    return std::nullopt;
  }
  return Timer{.length = length, .excess = excess, .since_written = since_written};
}

std::optional<Timer> find_timer(const DotPause& dot, const Thresholds& thresholds) {
  const auto plain = whole_seconds(dot.pause, false, thresholds);
  if (dot.since_written == dot.pause) return plain;
  const auto written = whole_seconds(dot.since_written, true, thresholds);
  if (!plain || !written) return plain ? plain : written;
  return std::chrono::abs(written->excess) < std::chrono::abs(plain->excess) ? written : plain;
}

std::string_view signature(const std::optional<Timer>& timer) {
  if (!timer) return "no-timer";
  if (timer->length == std::chrono::seconds(1)) return "one-second";
  if (timer->length == std::chrono::seconds(10)) return "ten-seconds";
  return "whole-seconds";
}

/// The pause takes the place of data-stall, which would call a long one by a graver name.
Severity severity_of(Duration pause, const RuleContext& context) {
  if (pause >= context.threshold(Threshold::kDataStallError)) return Severity::kError;
  if (pause >= context.threshold(Threshold::kDataStallWarning)) return Severity::kWarning;
  return Severity::kInfo;
}

void evaluate(RuleContext& context) {
  const Entry& message = *context.entry();
  const std::optional<DotPause> dot = dot_pause(message);
  if (!dot || dot->pause < context.threshold(Threshold::kPreDotPause)) return;

  const std::optional<Timer> timer = find_timer(*dot, context.thresholds());
  Finding finding = context.finding();
  finding.severity = severity_of(dot->pause, context);
  finding.variant = signature(timer);
  finding.certainty = timer ? Certainty::kLikely : Certainty::kSeen;
  finding.time = message.last - dot->pause;
  finding.text = fmt::format("the message was complete, but its final dot came {} later",
                             duration_text(dot->pause));
  if (dot->since_written != dot->pause) {
    finding.text +=
        fmt::format(", {} after the client side wrote the last lines, which the network held back",
                    duration_text(dot->since_written));
  }
  if (timer) {
    finding.text += fmt::format(": that is a timer or a fixed wait of {} s", timer->length.count());
  }
  finding.attributes = {{"pause", seconds_text(dot->pause)},
                        {"since_written", seconds_text(dot->since_written)}};
  if (timer) finding.attributes.emplace_back("timer", std::to_string(timer->length.count()));
  // Of the silences inside the message it owns the last one only.
  const SessionState& session = context.session();
  if (session.silences > 0 && session.last_silence.to == message.last) {
    finding.silence = session.silences;
  }
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace pre_dot_pause

const Rule kPreDotPause = {
    .id = "pre-dot-pause",
    .category = Category::kTiming,
    .severity = Severity::kInfo,
    .fault = Fault::kClient,
    .title = "The client side paused between the message and its final dot",
    .means =
        "All of the message had arrived, then the client side waited before it sent the line with "
        "the single dot that ends it. The mail is not harmed; the pause tells something of the "
        "program that sends.\n"
        "Variants: one-second, ten-seconds and whole-seconds are the lengths of timers; no-timer "
        "is a pause of any other length.",
    .causes =
        "One second: a program that sleeps for a second when its input has nothing more to read; "
        "sSMTP does, and several empty reads make as many seconds.\n"
        "Ten seconds: a mail server that works around a fault of old firewalls; Postfix can, just "
        "before the dot.\n"
        "Another length: whatever produces the message ended it late, such as a person who types, "
        "or a slow pipe.",
    .tell_apart =
        "Send the same mail again: a timer repeats itself to the hundredth of a second, a slow "
        "producer varies. Then send one whose text comes from a file.",
    .advice =
        "Nothing needs to be done for a second.\n"
        "For ten seconds, see the sending server's workarounds for firewalls and switch them off "
        "for this host.\n"
        "For a longer pause, look at what feeds the message to the client.",
    .caveats =
        "It is a hint at the program, not a proof. A pause of arbitrary length looks like whole "
        "seconds in one of fifteen cases.",
    .reference = "RFC 5321 4.1.1.4; sSMTP ssmtp.c; Postfix smtp_pix_workarounds",
    .needs = kNeedsContent | kNeedsReadTimes,
    .triggers = kOnData,
    .evaluate = pre_dot_pause::evaluate,
};

}  // namespace smtpscope
