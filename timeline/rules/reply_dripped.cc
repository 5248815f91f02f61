#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/counted.h"
#include "timeline/duration_text.h"
#include "timeline/rule_context.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace reply_dripped {
namespace {

/// Where a reply stood still.
struct Drips {
  std::size_t pauses = 0;  // between two lines
  Duration longest{};      // of them
  Duration slowest_line{};
};

Drips drips(const RuleContext& context, const Reply& reply, Duration least) {
  Drips found;
  std::uint64_t begin = context.entry()->item->begin;
  Time before = context.entry()->first;
  for (const ReplyLine& line : reply.lines) {
    const Time first = context.arrived(context.entry()->item->side, begin + 1);
    const Time last = context.arrived(context.entry()->item->side, line.end);
    found.slowest_line = std::max(found.slowest_line, last - first);
    const Duration pause = first - before;
    if (pause >= least) ++found.pauses;
    found.longest = std::max(found.longest, pause);
    before = last;
    begin = line.end;
  }
  return found;
}

void evaluate(RuleContext& context) {
  const Entry& entry = *context.entry();
  const Duration least = context.threshold(Threshold::kReplyDripped);
  if (entry.last - entry.first < least) return;
  // A greeting in two parts is told by greeting-delay, variant split: a test for clients that do
  // not wait.
  const Reply& reply = *context.reply();
  if (reply.answers == Answers::kGreeting) return;
  const Drips found = drips(context, reply, least);
  const bool between = found.pauses > 0;
  if (!between && found.slowest_line < least) return;

  Finding finding = context.finding();
  finding.variant = between ? "between-lines" : "inside-a-line";
  const Duration whole = entry.last - entry.first;
  finding.text = between ? fmt::format(
                               "the reply took {}: {} between its lines, the longest "
                               "of {}",
                               duration_text(whole), counted(found.pauses, "pause"),
                               duration_text(found.longest))
                         : fmt::format("one line of the reply took {} to arrive",
                                       duration_text(found.slowest_line));
  // One silence, one line: the wait before the reply began would be told by gap-server.
  if (entry.think && *entry.think >= context.threshold(Threshold::kGapNote)) {
    finding.text += fmt::format("; it began {} after what it answers", duration_text(*entry.think));
  }
  if (context.answered() != nullptr) finding.entries.push_back(context.answered()->entry);
  finding.attributes = {{"over", seconds_text(whole)},
                        {"pauses", std::to_string(found.pauses)},
                        {"longest_pause", seconds_text(found.longest)},
                        {"slowest_line", seconds_text(found.slowest_line)}};
  context.fire(std::move(finding));
}

}  // namespace
}  // namespace reply_dripped

const Rule kReplyDripped = {
    .id = "reply-dripped",
    .category = Category::kTiming,
    .severity = Severity::kNotice,
    .fault = Fault::kServer,
    .needs = kNeedsReadTimes | kNeedsFineTimes,
    .triggers = kOnReply,
    .verbs = kAnyVerb & ~kGreetingOnly,
    .only = kSeveralReads,
    .evaluate = reply_dripped::evaluate,
};

}  // namespace smtpscope
