#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "readers/text/dialogue_signs.h"
#include "readers/text/log_run.h"
#include "readers/text/terminal_dialogue.h"

namespace smtpscope {

/// What a terminal showed, pasted above or below the lines of a program whose reader makes nothing
/// of it: sessions of their own. Bounded memory; not thread-safe.
class OtherDialogue {
 public:
  OtherDialogue(LogRun& run, WallTime latest) : run_(run), latest_(latest) {}

  /// A line that is not the program's. True: it is one of such a dialogue, and was read.
  bool take(std::string_view line);
  /// The program goes on, or the text is over.
  void finish();

 private:
  struct Reading {
    Reading(LogRun& run, WallTime latest) : book(run, latest, kTypedTraits), terminal(book) {}
    DialogueBook book;
    TerminalDialogue terminal;
  };
  /// Of lines that do not make a dialogue yet.
  static constexpr std::size_t kMostKept = std::size_t{16} * 1024;

  LogRun& run_;
  WallTime latest_;
  DialogueSigns signs_;
  std::string kept_;
  std::unique_ptr<Reading> reading_;
};

}  // namespace smtpscope
