#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>

#include "redact/rewriting.h"

namespace smtpscope {

/// One side's octets on their way from what they were to what they are rewritten as: received, then
/// decided piece by piece, then taken in the same portions as they came in. Offsets are those of
/// the original stream. Holds only what is between these. Not thread-safe.
class SideStream {
 public:
  void append(std::string_view octets);
  /// `octets` of the stream are not here.
  void skip(std::uint64_t octets);

  std::uint64_t received() const { return received_; }
  std::uint64_t decided() const { return decided_; }

  /// The octets behind decided() up to `end`, or to the first that is not here. What is not here at
  /// decided() is passed over first.
  std::string_view undecided(std::uint64_t end);
  /// The next octets are rewritten so.
  void decide(const Rewriting& rewriting);

  /// What became of [begin, end), which is decided. Where a piece has another length, the place
  /// inside of it is found in proportion.
  std::string_view rewritten(std::uint64_t begin, std::uint64_t end) const;
  /// Nobody asks for what lies before `offset` any more.
  void forget(std::uint64_t offset);

 private:
  /// Octets that are here, or how many are not.
  struct Run {
    std::string octets;
    std::uint64_t missing = 0;
  };
  /// From here to the next anchor octets are rewritten in one way.
  struct Anchor {
    std::uint64_t original = 0;
    std::uint64_t replaced = 0;
  };

  std::uint64_t place_of(std::uint64_t offset) const;
  void pass_missing();
  void extend(std::uint64_t original, std::uint64_t replaced);

  std::deque<Run> runs_;  // from decided_ on
  std::size_t used_ = 0;  // octets of the first run that are decided
  std::uint64_t received_ = 0;
  std::uint64_t decided_ = 0;
  std::string text_;                // rewritten, from text_begin_ on
  std::uint64_t text_begin_ = 0;    // in the rewritten stream
  std::deque<Anchor> anchors_{{}};  // the last one is the end
};

}  // namespace smtpscope
