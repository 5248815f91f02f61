#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"
#include "timeline/state/read_pace.h"
#include "timeline/state/round_interval.h"

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
    .needs = kNeedsContent | kNeedsReadTimes,
    .triggers = kOnData,
    .evaluate = pre_dot_pause::evaluate,
};

}  // namespace smtpscope
