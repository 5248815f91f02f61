#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "diff/taps/taps_comparison.h"
#include "exporters/text/text_style.h"

namespace smtpscope {

/// One side of a line: what a tap saw, and when.
struct TapsCell {
  std::string time;    // since the dialogue began, by the clock near the client
  char speaker = ' ';  // C, S, P
  std::string text;
  SessionId session = 0;  // where it stands in the trace; 0: it is part of something
  std::uint64_t entry = 0;
  bool empty() const { return speaker == ' ' && text.empty(); }
};

/// A line of a dialogue as two taps saw it, harmless to a terminal, not yet laid out.
struct TapsLine {
  enum class Mark : std::uint8_t {
    kSame,
    kDiffers,
    kNearClient,  // only there
    kNearServer,
    kWords,  // no octets of the wire: our words, in `note`
  };
  Mark mark = Mark::kSame;
  TapsCell near_client, near_server;
  std::string between;  // how long it took between the taps
  std::string note;     // our words on it
};

/// The lines of a dialogue: what was changed, with `context` exchanges around it.
std::vector<TapsLine> taps_lines(const TapsComparison& comparison, const TapsDialogue& dialogue,
                                 const TextStyle& style, std::size_t context);

}  // namespace smtpscope
