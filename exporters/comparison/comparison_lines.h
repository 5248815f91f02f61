#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "diff/runs/run_comparison.h"
#include "exporters/text/text_style.h"

namespace smtpscope {

/// What a line of a comparison is.
enum class ComparedLineKind : std::uint8_t {
  kSame,     // in both runs, but for what always differs
  kChanged,  // `before` and `after` stand for each other
  kBefore,   // only in the run before
  kAfter,
  kTold,     // no octets of the wire: our words, in `note`
  kHeading,  // likewise, of what follows
  kFolded,   // likewise, instead of lines that are the same
};

/// A line of a comparison, already harmless to a terminal, not yet laid out.
struct ComparedLine {
  ComparedLineKind kind = ComparedLineKind::kSame;
  char speaker = ' ';  // C, S, P; ' ' where nobody speaks
  std::string before, after;
  std::string note;       // our words on it
  bool sentence = false;  // `before` and `after` are words of ours, to be broken at spaces
};

/// What two sessions that correspond said, side by side: what differs, with `context` exchanges
/// around it, and what differs in the session as a whole.
std::vector<ComparedLine> compared_lines(const RunComparison& runs,
                                         const SessionComparison& session, const TextStyle& style,
                                         std::size_t context);

}  // namespace smtpscope
