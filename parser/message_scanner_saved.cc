#include <algorithm>

#include "parser/message_scanner.h"

namespace smtpscope {

MessageScanner::Saved MessageScanner::save() const {
  return {facts_, wire_octets_, line_octets_, framing_, state_, watch_};
}

namespace {

/// The state of the strict automaton follows from what the tolerant recogniser knows.
MessageScanner::State strict_state(const EodWatch& watch) {
  using State = MessageScanner::State;
  using enum LineEndSeen;
  const auto crlf = [](LineEndSeen seen) { return seen == kCrLf || seen == kCrCrLf; };
  if (crlf(watch.dot_after) && !watch.nul_beside_dot) {
    if (watch.seen == kNone) return State::kDot;
    if (watch.seen == kCr) return State::kDotCr;
  }
  if (watch.nul_behind) return State::kMiddle;
  if (crlf(watch.seen)) return State::kLineStart;
  return watch.seen == kCr || watch.seen == kCrCr ? State::kCr : State::kMiddle;
}

bool possible(const EodWatch& watch, std::uint64_t wire_octets) {
  using enum LineEndSeen;
  if (watch.seen > kCrCrLf || watch.dot_after > kCrCrLf) return false;
  if (watch.nul_behind && watch.seen == kNone) return false;
  if (watch.dot_after == kNone) return !watch.nul_beside_dot && watch.cr_end == 0;
  // The dot is open: behind it are NULs at most, and then CRs at most.
  if (watch.dot_after == kCrCr || watch.nul_behind) return false;
  switch (watch.seen) {
    case kNone:
      return watch.cr_end == 0;
    case kCr:
      return watch.cr_end == wire_octets;
    case kCrCr:
      return watch.cr_end > 0 && watch.cr_end < wire_octets;
    default:
      return false;
  }
}

bool possible_candidates(const MessageFacts& facts, std::uint64_t wire_octets) {
  const bool none = std::all_of(facts.candidates.begin(), facts.candidates.end(),
                                [](std::uint32_t count) { return count == 0; });
  if (none) return facts.first_candidate_end == 0 && facts.first_candidate == EodCandidate::kOther;
  const auto first = static_cast<std::size_t>(facts.first_candidate);
  return facts.first_candidate_end > 0 && facts.first_candidate_end <= wire_octets &&
         first < kEodCandidateKinds && facts.candidates[first] > 0;
}

/// The counts of octets that are counted once each fit into all octets.
bool possible_counts(const MessageFacts& facts, std::uint64_t line_octets) {
  std::uint64_t left = facts.octets;
  for (const std::uint64_t count :
       {facts.lines, facts.lines, facts.bare_cr, facts.bare_lf, facts.nul, facts.eight_bit}) {
    if (count > left) return false;
    left -= count;
  }
  return facts.longest_line <= facts.octets && line_octets <= facts.longest_line &&
         facts.unstuffed_dots <= facts.dot_lines;
}

}  // namespace

std::optional<MessageScanner> MessageScanner::restore(const Saved& saved) {
  // Far beyond any message, and far from where sums of two overflow.
  constexpr std::uint64_t kMostOctets = std::uint64_t{1} << 62;
  const MessageFacts& facts = saved.facts;
  if (saved.framing > Framing::kCounted || saved.state > State::kEnded) return std::nullopt;
  if (saved.wire_octets > kMostOctets || facts.octets > saved.wire_octets ||
      facts.dot_lines > saved.wire_octets) {
    return std::nullopt;
  }
  if (!possible_counts(facts, saved.line_octets)) return std::nullopt;
  if (!possible_candidates(facts, saved.wire_octets)) return std::nullopt;

  const bool between_lines = saved.state == State::kLineStart || saved.state == State::kDot ||
                             saved.state == State::kEnded;
  if (between_lines != (saved.line_octets == 0)) return std::nullopt;
  if (saved.framing == Framing::kCounted) {
    if (saved.state > State::kCr || saved.watch != EodWatch{}) return std::nullopt;
    if (facts.dot_lines != 0 || facts.first_candidate_end != 0) return std::nullopt;
  } else if (saved.state == State::kEnded) {
    if (saved.watch != EodWatch{}) return std::nullopt;
  } else if (!possible(saved.watch, saved.wire_octets) ||
             strict_state(saved.watch) != saved.state) {
    return std::nullopt;
  }
  // On the wire but not in the message (RFC 1870 5): the first dot of each dot line, and ".CRLF".
  const std::uint64_t terminator = saved.state == State::kEnded ? 3 : 0;
  if (saved.wire_octets != facts.octets + facts.dot_lines + terminator) return std::nullopt;

  MessageScanner scanner(saved.framing);
  scanner.facts_ = facts;
  scanner.wire_octets_ = saved.wire_octets;
  scanner.line_octets_ = saved.line_octets;
  scanner.state_ = saved.state;
  scanner.watch_ = saved.watch;
  return scanner;
}

}  // namespace smtpscope
