#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "readers/text/log_run.h"

namespace smtpscope {

/// A dialogue with marks of its own among lines of which a program's reader makes nothing, such as
/// one that is quoted from an RFC: nobody is to believe that it was read. Bounded memory; not
/// thread-safe.
class UnreadDialogue {
 public:
  explicit UnreadDialogue(LogRun& run) : run_(run) {}

  void take(std::string_view line);
  /// The text is over: tells about it, if there is one.
  void finish();

 private:
  /// What is quoted is short, and not far into a text.
  static constexpr std::size_t kMostLookedAt = std::size_t{256} * 1024;
  static constexpr std::size_t kMostLines = 512;
  struct Line {
    std::uint64_t number;
    std::string text;
  };

  LogRun& run_;
  std::size_t looked_at_ = 0;
  std::vector<Line> lines_;
};

}  // namespace smtpscope
