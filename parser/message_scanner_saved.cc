#include <algorithm>

#include "parser/message_scanner.h"

namespace smtpscope {

MessageScanner::Saved MessageScanner::save() const {
  return {facts_, wire_octets_, line_octets_, framing_, state_, after_cr_cr_, watch_, header_};
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

/// A count, and where the first of what it counts ends: not known where a capture does not tell.
bool possible_first(std::uint64_t count, std::uint64_t first_end, std::uint64_t wire_octets) {
  return first_end == 0 ||
         (count > 0 && first_end <= wire_octets && count - 1 <= wire_octets - first_end);
}

bool possible_firsts(const MessageFacts& facts, std::uint64_t wire_octets) {
  return possible_first(facts.bare_cr, facts.first_bare_cr_end, wire_octets) &&
         possible_first(facts.bare_lf, facts.first_bare_lf_end, wire_octets) &&
         possible_first(facts.cr_cr_lf, facts.first_cr_cr_lf_end, wire_octets) &&
         possible_first(facts.nul, facts.first_nul_end, wire_octets) &&
         possible_first(facts.unstuffed_dots, facts.first_unstuffed_dot_end, wire_octets) &&
         facts.cr_cr_lf <= facts.lines && facts.cr_cr_lf <= facts.bare_cr;
}

bool possible_long_lines(const MessageFacts& facts) {
  if (facts.long_lines == 0) return facts.first_long_line == 0;
  if (facts.first_long_line == 0 || facts.first_long_line > facts.lines + 1) return false;
  return facts.longest_line > kLongestTextLine &&
         facts.long_lines <= facts.octets / (kLongestTextLine + 1) &&
         facts.long_lines - 1 <= facts.lines + 1 - facts.first_long_line;
}

bool possible_header(const MessageScanner::Saved& saved) {
  using State = MessageScanner::State;
  using Stage = HeaderScanner::Stage;
  const HeaderScanner& header = saved.header;
  const HeaderFacts& facts = saved.facts.header;
  if (!header.possible(facts) || facts.eight_bit > saved.facts.eight_bit) return false;
  if (header.done()) return true;
  if (saved.wire_octets >= HeaderScanner::kMostOctets) return false;
  if (facts.eight_bit != saved.facts.eight_bit) return false;
  switch (saved.state) {
    case State::kLineStart:
      return header.stage == Stage::kLineStart;
    case State::kDot:
      return header.stage == Stage::kDot;
    case State::kDotCr:
      return header.stage == Stage::kText;
    case State::kCr:
      return header.stage == Stage::kText || header.stage == Stage::kEmptyLine;
    case State::kMiddle:
      return true;
    case State::kEnded:
      break;
  }
  return false;
}

/// Before the first octet nothing is known.
bool possible_beginning(const MessageScanner::Saved& saved) {
  if (saved.wire_octets > 0) return true;
  return saved.facts.digest == 0 && saved.facts.header == HeaderFacts{} &&
         (saved.header.done() || saved.header == HeaderScanner{});
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
  if (!possible_firsts(facts, saved.wire_octets)) return std::nullopt;
  if (!possible_long_lines(facts)) return std::nullopt;
  if (!possible_header(saved) || !possible_beginning(saved)) return std::nullopt;

  const bool between_lines = saved.state == State::kLineStart || saved.state == State::kDot ||
                             saved.state == State::kEnded;
  if (between_lines != (saved.line_octets == 0)) return std::nullopt;
  if (saved.framing == Framing::kCounted) {
    if (saved.state > State::kCr || saved.watch != EodWatch{}) return std::nullopt;
    if (facts.dot_lines != 0 || facts.first_candidate_end != 0) return std::nullopt;
    const bool bare = saved.state == State::kCr && facts.bare_cr > 0 && saved.line_octets > 1;
    if (saved.after_cr_cr && !bare) return std::nullopt;
  } else {
    const bool watched =
        saved.state == State::kEnded
            ? saved.watch == EodWatch{}
            : possible(saved.watch, saved.wire_octets) && strict_state(saved.watch) == saved.state;
    if (saved.after_cr_cr || !watched) return std::nullopt;
  }
  // On the wire but not in the message (RFC 1870 5): the first dot of each dot line, and ".CRLF".
  const std::uint64_t terminator = saved.state == State::kEnded ? 3 : 0;
  if (saved.wire_octets != facts.octets + facts.dot_lines + terminator) return std::nullopt;

  MessageScanner scanner(saved.framing);
  scanner.facts_ = facts;
  scanner.wire_octets_ = saved.wire_octets;
  scanner.line_octets_ = saved.line_octets;
  scanner.state_ = saved.state;
  scanner.after_cr_cr_ = saved.after_cr_cr;
  scanner.watch_ = saved.watch;
  scanner.header_ = saved.header;
  return scanner;
}

}  // namespace smtpscope
