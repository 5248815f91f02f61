#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "parser/eod_watch.h"
#include "parser/header_scanner.h"
#include "parser/message_facts.h"

namespace smtpscope {

struct BlockTally;

/// Reads mail data and gathers MessageFacts. Knows two things at a time: the strict automaton of
/// RFC 5321 4.1.1.4 (only CRLF.CRLF ends the data, and the start counts as after a CRLF), and a
/// tolerant recogniser (EodWatch) that notes where a lenient server might see the end.
///
/// A value type without heap memory: copy it to take a snapshot, assign to resume. Facts depend
/// on the octets only, never on how they were split. Not thread-safe. Octets are scanned in
/// blocks; nothing is allocated.
class MessageScanner {
 public:
  /// kDotTerminated for DATA, kCounted for BDAT and blobs (RFC 3030 2: no terminator, no dot
  /// stuffing; dots mean nothing there, so neither dot lines nor candidates are counted).
  enum class Framing : std::uint8_t { kDotTerminated, kCounted };

  /// Where the strict automaton stands. Written into captures: values never change meaning.
  enum class State : std::uint8_t {
    kLineStart,  // at the start, or after CRLF
    kMiddle,     // inside a line
    kCr,         // after CR inside a line
    kDot,        // after CRLF "."
    kDotCr,      // after CRLF "." CR
    kEnded,      // CRLF.CRLF was seen
  };

  /// All that a scanner knows, as plain fields: what a capture keeps to resume behind octets that
  /// it left out.
  struct Saved {
    MessageFacts facts;
    std::uint64_t wire_octets = 0;
    std::uint64_t line_octets = 0;
    Framing framing = Framing::kDotTerminated;
    State state = State::kLineStart;
    bool after_cr_cr = false;  // the octets end in CR CR; told where the framing is kCounted only
    EodWatch watch;
    HeaderScanner header;

    bool operator==(const Saved&) const = default;
  };

  explicit MessageScanner(Framing framing = Framing::kDotTerminated) : framing_(framing) {}

  Saved save() const;
  /// The scanner that saved `saved`, which may have been tampered with: empty when no scanner
  /// could have, as far as the automata and sums of counts show.
  static std::optional<MessageScanner> restore(const Saved& saved);

  /// Scans `octets` up to their end or up to and including the strict end of data, whichever
  /// comes first. Returns how many octets were taken; fewer than given only when ended() turned
  /// true. Must not be called when ended().
  std::size_t scan(std::span<const std::uint8_t> octets);

  bool ended() const { return state_ == State::kEnded; }

  /// Facts so far. Before the end, a dot line not yet complete counts as content; after the end
  /// the terminator does not. An octet that only the next one can judge (a CR, the dot of an
  /// unfinished dot line) is in `octets`, and in the other counts once it is judged.
  const MessageFacts& facts() const { return facts_; }

  /// Wire octets scanned so far, terminator and stuffed dots included.
  std::uint64_t wire_octets() const { return wire_octets_; }

  Framing framing() const { return framing_; }
  State state() const { return state_; }

  bool operator==(const MessageScanner&) const = default;

 private:
  std::size_t scan_blocks(std::span<const std::uint8_t> octets);
  BlockTally tally_here() const;
  bool brings_a_first(const BlockTally& tally) const;
  void adopt(const BlockTally& tally, std::span<const std::uint8_t> octets);
  void scan_header(std::span<const std::uint8_t> octets, std::uint64_t at);
  void digest(std::span<const std::uint8_t> octets, State before);
  bool after_cr_cr() const;
  void take(std::uint8_t octet);
  void advance(std::uint8_t octet);
  void note_long_line();
  void end_line();
  void end_data();
  State inside_line(std::uint8_t octet);

  MessageFacts facts_;
  std::uint64_t wire_octets_ = 0;
  std::uint64_t line_octets_ = 0;  // of the line that is being read, its stuffed dot not counted
  EodWatch watch_;                 // fed only when the framing is kDotTerminated
  HeaderScanner header_;
  bool after_cr_cr_ = false;  // kept only when the framing is kCounted, else watch_ knows
  State state_ = State::kLineStart;
  Framing framing_;
};

}  // namespace smtpscope
