#pragma once

#include <string_view>

#include "readers/text/bare_dialogue.h"
#include "readers/text/dialogue_book.h"

namespace smtpscope {

/// What a terminal shows of one session after the other: where it connects to, what is typed, what
/// comes back, and that the other side has closed. Not thread-safe.
class TerminalDialogue {
 public:
  /// `book` is of kTypedTraits.
  explicit TerminalDialogue(DialogueBook& book) : book_(book), bare_(book) {}

  void take(std::string_view line);
  void finish() { bare_.finish(); }

 private:
  DialogueBook& book_;
  BareDialogue bare_;
};

}  // namespace smtpscope
