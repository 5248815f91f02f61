#include "parser/message_scanner.h"

#include <algorithm>
#include <cassert>

#include "parser/message_blocks.h"

namespace smtpscope {
namespace {

/// What `octets`, three at least, end in.
LineEndSeen line_end_at_end_of(std::span<const std::uint8_t> octets) {
  const std::span<const std::uint8_t> last = octets.last(3);
  if (last[2] == '\r') return last[1] == '\r' ? LineEndSeen::kCrCr : LineEndSeen::kCr;
  if (last[2] != '\n') return LineEndSeen::kNone;
  if (last[1] != '\r') return LineEndSeen::kLf;
  return last[0] == '\r' ? LineEndSeen::kCrCrLf : LineEndSeen::kCrLf;
}

}  // namespace

std::size_t MessageScanner::scan(std::span<const std::uint8_t> octets) {
  assert(!ended());
  std::size_t taken = 0;
  while (taken < octets.size() && !ended()) {
    taken += scan_blocks(octets.subspan(taken));
    // What is left is no whole block, or one in which every octet must be looked at.
    const std::size_t border = std::min(taken + kBlock, octets.size());
    while (taken < border && !ended()) take(octets[taken++]);
  }
  facts_.longest_line = std::max(facts_.longest_line, line_octets_);
  return taken;
}

std::size_t MessageScanner::scan_blocks(std::span<const std::uint8_t> octets) {
  if (!watch_.settled()) return 0;

  BlockTally tally;
  tally.dotted = framing_ == Framing::kDotTerminated;
  tally.after_cr = state_ == State::kCr;
  tally.at_line_start = state_ == State::kLineStart;
  tally.after_line_end = watch_.seen != LineEndSeen::kNone;
  tally.line_octets = line_octets_;
  tally.longest_line = facts_.longest_line;
  const std::size_t taken = tally_blocks(best_kernel(), tally, octets);
  if (taken == 0) return 0;

  wire_octets_ += taken;
  line_octets_ = tally.line_octets;
  facts_.octets += taken - tally.dot_lines;
  facts_.lines += tally.lines;
  facts_.longest_line = tally.longest_line;
  facts_.bare_cr += tally.bare_cr;
  facts_.bare_lf += tally.bare_lf;
  facts_.nul += tally.nul;
  facts_.eight_bit += tally.eight_bit;
  facts_.dot_lines += tally.dot_lines;
  facts_.unstuffed_dots += tally.unstuffed_dots;
  state_ = tally.after_cr ? State::kCr : tally.at_line_start ? State::kLineStart : State::kMiddle;
  if (tally.dotted) watch_.seen = line_end_at_end_of(octets.first(taken));
  return taken;
}

void MessageScanner::take(std::uint8_t octet) {
  ++wire_octets_;
  advance(octet);
  if (ended()) return;
  if (framing_ == Framing::kDotTerminated) watch_.take(octet, wire_octets_, facts_);
  if (octet == 0) ++facts_.nul;
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
  ++line_octets_;
  switch (before) {
    case State::kDot:
      if (octet == '\r') {
        state_ = State::kDotCr;
        return;
      }
      if (octet != '.') ++facts_.unstuffed_dots;
      break;
    case State::kDotCr:
      ++facts_.unstuffed_dots;
      ++facts_.bare_cr;
      break;
    case State::kCr:
      if (octet == '\n') {
        end_line();
        return;
      }
      ++facts_.bare_cr;
      break;
    default:
      break;
  }
  state_ = inside_line(octet);
}

MessageScanner::State MessageScanner::inside_line(std::uint8_t octet) {
  if (octet == '\r') return State::kCr;
  if (octet == '\n') ++facts_.bare_lf;  // it ends no line (RFC 5321 2.3.8)
  return State::kMiddle;
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
