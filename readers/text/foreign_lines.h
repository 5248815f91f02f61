#pragma once

#include <string_view>

#include "base/time.h"
#include "readers/text/log_run.h"
#include "readers/text/other_dialogue.h"
#include "readers/text/unread_dialogue.h"

namespace smtpscope {

/// What stands in a paste above, below or between a program's lines and is not of that program: a
/// session at a terminal is read as one of its own, another dialogue is told about. Not
/// thread-safe.
class ForeignLines {
 public:
  ForeignLines(LogRun& run, WallTime latest) : terminal_(run, latest), unread_(run) {}

  /// A line of which the program's reader makes nothing. True: it is one of a terminal's session.
  bool take(std::string_view line) {
    if (terminal_.take(line)) return true;
    unread_.take(line);
    return false;
  }
  /// The program goes on.
  void interrupt() { terminal_.finish(); }
  /// The text is over.
  void finish() {
    terminal_.finish();
    unread_.finish();
  }

 private:
  OtherDialogue terminal_;
  UnreadDialogue unread_;
};

}  // namespace smtpscope
