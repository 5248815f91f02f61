#include "timeline/rule_marks.h"

#include <algorithm>

#include "timeline/rule.h"

namespace smtpscope {
namespace {

std::uint8_t mark_if(bool is_so, RuleMark mark) {
  return is_so ? static_cast<std::uint8_t>(mark) : std::uint8_t{0};
}

std::uint8_t marked(std::initializer_list<std::uint8_t> marks) {
  int all = 0;
  for (const std::uint8_t mark : marks) all |= mark;
  return static_cast<std::uint8_t>(all);
}

std::uint64_t octets_of(const Item& item) { return item.end - item.begin; }

bool is_odd(const ReplyLine& line) {
  return line.code == 0 || line.flags != 0 || line.ending != LineEnding::kCrLf;
}

}  // namespace

std::uint8_t marks_of(const Entry& data) { return mark_if(data.read_count > 1, kSeveralReads); }

std::uint8_t marks_of(const Command& command, const Entry& entry, const Thresholds& thresholds) {
  return marked(
      {mark_if(command.flags != 0 || command.ending != LineEnding::kCrLf, kOddLine),
       mark_if(octets_of(*entry.item) > thresholds.count(Threshold::kCommandLine), kLongLine),
       mark_if(entry.read_count > 1, kSeveralReads),
       mark_if(command.pending_before > 0, kPipelined)});
}

std::uint8_t marks_of(const Reply& reply, const Entry& entry, const SessionState& state,
                      const Thresholds& thresholds) {
  const bool odd = reply.codes_differ || std::ranges::any_of(reply.lines, is_odd);
  // Many lines are as hard on a client as long ones.
  const bool is_long = octets_of(*entry.item) > thresholds.count(Threshold::kReplyLine) ||
                       reply.line_count > thresholds.count(Threshold::kReplyLines);
  return marked({mark_if(odd, kOddLine), mark_if(is_long, kLongLine),
                 mark_if(entry.read_count > 1, kSeveralReads),
                 mark_if(reply.first_digit() < 2 || reply.first_digit() > 3, kRefusal),
                 mark_if(state.pipelined_run != nullptr && !state.pipelined_run->ended, kPipelined),
                 mark_if(state.closes[index(Side::kClient)].has_value(), kBehindClose)});
}

std::uint8_t marks_of(const Transaction& ended) {
  return mark_if(ended.aborted_by != AbortedBy::kNothing, kCutShort);
}

}  // namespace smtpscope
