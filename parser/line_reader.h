#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "parser/item.h"

namespace smtpscope {

/// Octets of a line that are kept for display. The longest line of any extension is the AUTH
/// response of 12288 octets (RFC 4954 4); what is longer is counted to its end, not kept.
inline constexpr std::size_t kKeptLine = 16 * 1024;

/// One line as it came. `text` is valid until the reader's next call.
struct Line {
  std::string_view text;          // without the ending; the first kKeptLine octets
  std::uint64_t text_octets = 0;  // of the whole text
  std::uint64_t octets = 0;       // of the whole line, its ending included
  std::uint16_t flags = 0;        // LineFlag
  LineEnding ending = LineEnding::kCrLf;

  bool cut() const { return text_octets > text.size(); }
};

/// The LineFlags that `text` deserves by its octets.
std::uint16_t odd_octets(std::string_view text);

/// Cuts an octet stream into lines at each LF; what stands before the LF is told by Line::ending.
/// A line that lies in one span whole is not copied. Owns a buffer for the beginning of an
/// unfinished line; it grows on demand and is given back by recycle(). Not thread-safe.
class LineReader {
 public:
  /// Takes octets up to and including the first LF, and sets `taken` to how many. Gives the line
  /// when that completed one.
  std::optional<Line> read(std::span<const std::uint8_t> octets, std::size_t& taken);

  /// The unfinished line as a line of its own, without an ending. Must not be empty().
  Line cut();

  /// No octet of an unfinished line is held.
  bool empty() const { return octets_ == 0; }
  /// Octets of the unfinished line, including those not kept.
  std::uint64_t octets() const { return octets_; }
  /// LineFlags of the unfinished line so far.
  std::uint16_t flags() const { return flags_; }
  /// The kept beginning of the unfinished line.
  std::string_view partial() const {
    return empty() ? std::string_view{} : std::string_view{kept_};
  }

  /// The line given last is no longer looked at: large buffers go back.
  void recycle() {
    if (octets_ == 0 && kept_.capacity() > kSmall) std::string().swap(kept_);
  }

 private:
  static constexpr std::size_t kSmall = 128;

  void append(std::span<const std::uint8_t> octets);
  Line complete();

  std::string kept_;  // of the unfinished line, or of the one given last while octets_ is 0
  std::uint64_t octets_ = 0;
  std::uint64_t trailing_cr_ = 0;  // CRs at the end of what came so far
  std::uint16_t flags_ = 0;        // of what came so far, the trailing CRs not considered
};

}  // namespace smtpscope
