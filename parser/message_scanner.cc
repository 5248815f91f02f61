#include "parser/message_scanner.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "parser/content_digest.h"
#include "parser/message_blocks.h"

namespace smtpscope {
namespace {

/// The octets of a dot line that may become the terminator, without the LF that makes it one.
constexpr std::array<std::uint8_t, 2> kOpenDotLine = {'.', '\r'};

/// Of the terminator, or of what may become it, behind which the state is `state`.
std::size_t octets_of_dot_line(MessageScanner::State state) {
  switch (state) {
    case MessageScanner::State::kDot:
      return 1;
    case MessageScanner::State::kDotCr:
      return 2;
    case MessageScanner::State::kEnded:
      return 3;
    default:
      return 0;
  }
}

/// One more, which ends at `end` octets from the beginning of the content.
void count(std::uint64_t& counter, std::uint64_t& first_end, std::uint64_t end) {
  if (counter++ == 0) first_end = end;
}

/// What `octets`, three at least, end in. Not in CR CR.
LineEndSeen line_end_at_end_of(std::span<const std::uint8_t> octets) {
  const std::span<const std::uint8_t> last = octets.last(3);
  if (last[2] == '\r') return LineEndSeen::kCr;
  if (last[2] != '\n') return LineEndSeen::kNone;
  if (last[1] != '\r') return LineEndSeen::kLf;
  return last[0] == '\r' ? LineEndSeen::kCrCrLf : LineEndSeen::kCrLf;
}

}  // namespace

std::size_t MessageScanner::scan(std::span<const std::uint8_t> octets) {
  assert(!ended());
  const std::uint64_t at = wire_octets_;
  const State before = state_;
  std::size_t taken = 0;
  while (taken < octets.size() && !ended()) {
    taken += scan_blocks(octets.subspan(taken));
    // What is left is no whole block, or one in which every octet must be looked at.
    const std::size_t border = std::min(taken + kBlock, octets.size());
    while (taken < border && !ended()) take(octets[taken++]);
  }
  facts_.longest_line = std::max(facts_.longest_line, line_octets_);
  if (!header_.done()) scan_header(octets.first(taken), at);
  if (at < MessageFacts::kDigested + kOpenDotLine.size()) digest(octets.first(taken), before);
  return taken;
}

std::size_t MessageScanner::scan_blocks(std::span<const std::uint8_t> octets) {
  if (!watch_.settled() || after_cr_cr()) return 0;
  const BlockKernel kernel = best_kernel();
  BlockTally tally = tally_here();
  const std::size_t taken = tally_blocks(kernel, tally, octets);
  if (taken == 0) return 0;
  if (!brings_a_first(tally)) {
    adopt(tally, octets.first(taken));
    return taken;
  }
  // Where it stands is told by taking octet by octet the block that has it, and only that one.
  for (std::size_t begin = 0; begin < taken; begin += kBlock) {
    const auto block = octets.subspan(begin, std::min(kBlock, taken - begin));
    tally = tally_here();
    tally_blocks(kernel, tally, block);
    if (brings_a_first(tally)) return begin;
    adopt(tally, block);
  }
  assert(false);
  return taken;
}

/// The facts so far, to which blocks are added.
BlockTally MessageScanner::tally_here() const {
  // Each field by name: clearing it all first takes longer than a short read.
  return {.dotted = framing_ == Framing::kDotTerminated,
          .after_cr = state_ == State::kCr,
          .at_line_start = state_ == State::kLineStart,
          .after_line_end = watch_.seen != LineEndSeen::kNone,
          .line_octets = line_octets_,
          .longest_line = facts_.longest_line,
          .lines = facts_.lines,
          .bare_cr = facts_.bare_cr,
          .bare_lf = facts_.bare_lf,
          .cr_cr_lf = facts_.cr_cr_lf,
          .nul = facts_.nul,
          .eight_bit = facts_.eight_bit,
          .dot_lines = facts_.dot_lines,
          .unstuffed_dots = facts_.unstuffed_dots,
          .long_lines = facts_.long_lines};
}

/// It has something of which it must be known where the first one stands.
bool MessageScanner::brings_a_first(const BlockTally& tally) const {
  return (facts_.bare_cr == 0 && tally.bare_cr != 0) ||
         (facts_.bare_lf == 0 && tally.bare_lf != 0) ||
         (facts_.cr_cr_lf == 0 && tally.cr_cr_lf != 0) || (facts_.nul == 0 && tally.nul != 0) ||
         (facts_.unstuffed_dots == 0 && tally.unstuffed_dots != 0) ||
         (facts_.long_lines == 0 && tally.long_lines != 0);
}

/// `octets` have become part of `tally`.
void MessageScanner::adopt(const BlockTally& tally, std::span<const std::uint8_t> octets) {
  wire_octets_ += octets.size();
  line_octets_ = tally.line_octets;
  facts_.octets += octets.size() - (tally.dot_lines - facts_.dot_lines);
  facts_.lines = tally.lines;
  facts_.longest_line = tally.longest_line;
  facts_.bare_cr = tally.bare_cr;
  facts_.bare_lf = tally.bare_lf;
  facts_.cr_cr_lf = tally.cr_cr_lf;
  facts_.nul = tally.nul;
  facts_.eight_bit = tally.eight_bit;
  facts_.dot_lines = tally.dot_lines;
  facts_.unstuffed_dots = tally.unstuffed_dots;
  facts_.long_lines = tally.long_lines;
  state_ = tally.after_cr ? State::kCr : tally.at_line_start ? State::kLineStart : State::kMiddle;
  if (tally.dotted) watch_.seen = line_end_at_end_of(octets);
}

void MessageScanner::scan_header(std::span<const std::uint8_t> octets, std::uint64_t at) {
  header_.scan(octets, at, facts_.header);
  // To the header scanner the terminator is a line with a dot, which is no empty one.
  if (ended()) header_.stop();
}

/// Adds `octets`, before which the state was `before`, to the digest. The octets that may become
/// the terminator come to it once they have not.
void MessageScanner::digest(std::span<const std::uint8_t> octets, State before) {
  const std::size_t held_back = octets_of_dot_line(before);
  const std::size_t open = octets_of_dot_line(state_);
  const std::size_t known = held_back + octets.size() - open;
  std::uint64_t at = wire_octets_ - octets.size() - held_back;
  const auto take = [&](std::span<const std::uint8_t> more) {
    const std::uint64_t room = MessageFacts::kDigested - std::min(at, MessageFacts::kDigested);
    more = more.first(static_cast<std::size_t>(std::min<std::uint64_t>(more.size(), room)));
    facts_.digest = digest_on(facts_.digest, at, more);
    at += more.size();
  };
  const std::size_t from_held = std::min(held_back, known);
  take(std::span(kOpenDotLine).first(from_held));
  take(octets.first(known - from_held));
}

/// The octets so far end in CR CR.
bool MessageScanner::after_cr_cr() const {
  return framing_ == Framing::kCounted ? after_cr_cr_ : watch_.after_cr_cr();
}

void MessageScanner::take(std::uint8_t octet) {
  ++wire_octets_;
  const bool after_cr = state_ == State::kCr;
  advance(octet);
  if (ended()) return;
  if (framing_ == Framing::kDotTerminated) {
    watch_.take(octet, wire_octets_, facts_);
  } else {
    after_cr_cr_ = after_cr && octet == '\r';
  }
  if (octet == 0) count(facts_.nul, facts_.first_nul_end, wire_octets_);
  if (octet >= 0x80) ++facts_.eight_bit;
}

/// The strict automaton (RFC 5321 4.1.1.4, 4.5.2), and what follows from its state alone.
void MessageScanner::advance(std::uint8_t octet) {
  const State before = state_;
  if (before == State::kDotCr && octet == '\n') {
    end_data();
    return;
  }
  if (before == State::kLineStart && octet == '.' && framing_ == Framing::kDotTerminated) {
    // Either the client doubled a dot or this line is the end; the receiver drops it (4.5.2).
    ++facts_.dot_lines;
    state_ = State::kDot;
    return;
  }
  ++facts_.octets;
  if (++line_octets_ == kLongestTextLine + 1) note_long_line();
  switch (before) {
    case State::kDot:
      if (octet == '\r') {
        state_ = State::kDotCr;
        return;
      }
      if (octet != '.') {
        count(facts_.unstuffed_dots, facts_.first_unstuffed_dot_end, wire_octets_ - 1);
      }
      break;
    case State::kDotCr:
      count(facts_.unstuffed_dots, facts_.first_unstuffed_dot_end, wire_octets_ - 2);
      count(facts_.bare_cr, facts_.first_bare_cr_end, wire_octets_ - 1);
      break;
    case State::kCr:
      if (octet == '\n') {
        if (after_cr_cr()) count(facts_.cr_cr_lf, facts_.first_cr_cr_lf_end, wire_octets_);
        end_line();
        return;
      }
      count(facts_.bare_cr, facts_.first_bare_cr_end, wire_octets_ - 1);
      break;
    default:
      break;
  }
  state_ = inside_line(octet);
}

MessageScanner::State MessageScanner::inside_line(std::uint8_t octet) {
  if (octet == '\r') return State::kCr;
  // It ends no line (RFC 5321 2.3.8).
  if (octet == '\n') count(facts_.bare_lf, facts_.first_bare_lf_end, wire_octets_);
  return State::kMiddle;
}

void MessageScanner::note_long_line() {
  if (facts_.long_lines++ == 0) facts_.first_long_line = facts_.lines + 1;
}

void MessageScanner::end_line() {
  ++facts_.lines;
  facts_.longest_line = std::max(facts_.longest_line, line_octets_);
  line_octets_ = 0;
  state_ = State::kLineStart;
}

void MessageScanner::end_data() {
  // What was taken for a dot line is the terminator: its CR is no content (RFC 1870 5).
  --facts_.dot_lines;
  --facts_.octets;
  line_octets_ = 0;
  if (facts_.lines == 0) facts_.longest_line = 0;
  watch_ = {};
  state_ = State::kEnded;
}

}  // namespace smtpscope
