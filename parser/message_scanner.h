#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "parser/message_facts.h"

namespace smtpscope {

/// Reads mail data and gathers MessageFacts. Knows two things at a time: the strict automaton of
/// RFC 5321 4.1.1.4 (only CRLF.CRLF ends the data, and the start counts as after a CRLF), and a
/// tolerant recogniser that notes where a lenient server might see the end.
///
/// A value type without heap memory: copy it to take a snapshot, assign to resume. Not
/// thread-safe. Octets are scanned in blocks; nothing is allocated.
class MessageScanner {
 public:
  /// kDotTerminated for DATA, kCounted for BDAT and blobs (no terminator, no stuffing).
  enum class Framing : std::uint8_t { kDotTerminated, kCounted };

  /// Where the automaton stands. Small and stable: written into captures by name.
  enum class State : std::uint8_t {
    kLineStart,    // at the start, or after CRLF
    kMiddle,       // inside a line
    kCr,           // after CR inside a line
    kDot,          // after CRLF "."
    kDotCr,        // after CRLF "." CR
    kEnded,        // CRLF.CRLF was seen
  };

  explicit MessageScanner(Framing framing = Framing::kDotTerminated) : framing_(framing) {}

  /// Scans `octets` up to their end or up to and including the strict end of data, whichever
  /// comes first. Returns how many octets were taken; fewer than given only when ended() turned
  /// true. Must not be called when ended().
  std::size_t scan(std::span<const std::uint8_t> octets);

  bool ended() const;

  /// Facts so far. Before the end, a dot line not yet complete counts as content; after the end
  /// the terminator does not.
  const MessageFacts& facts() const { return facts_; }

  /// Wire octets scanned so far, terminator and stuffed dots included.
  std::uint64_t wire_octets() const { return wire_octets_; }

 private:
  MessageFacts facts_;
  std::uint64_t wire_octets_ = 0;
  Framing framing_;
};

}  // namespace smtpscope
