#pragma once

#include <string>
#include <string_view>

#include "readers/text/dialogue_book.h"

namespace smtpscope {

/// Lines of which no mark tells who said them, as a terminal shows them: what is typed and what
/// comes back. A reply begins with its code; a known verb is a command; between 354 and the dot all
/// is message; what follows 334 is an answer, and so may what follows AUTH be. A line that is
/// neither is taken for a command only if it is a login, or the server then says that it did not
/// know it, or a reply follows that nothing else can have asked for; and for one of a reply without
/// its code only between two lines of that reply, or where it has a keyword behind the answer to
/// EHLO. Not thread-safe.
class BareDialogue {
 public:
  struct Habits {
    /// openssl s_client without -quiet: a line that begins with R or Q is a command to itself.
    bool takes_r_and_q = false;
  };
  BareDialogue(DialogueBook& book, const Habits& habits) : book_(book), habits_(habits) {}
  explicit BareDialogue(DialogueBook& book) : BareDialogue(book, Habits{}) {}

  /// `dot_follows`: a line with nothing but a dot comes later, so a message has an end.
  void take(std::string_view line, bool dot_follows = true);
  void finish() {
    let_go();
    settle_odd();
  }

  /// Commands that never went out.
  unsigned swallowed() const { return swallowed_; }

 private:
  void tell(std::string_view line, bool dot_follows);
  void reply(std::string_view line);
  void let_go();
  void settle_odd();

  DialogueBook& book_;
  Habits habits_;
  std::string waiting_;  // a command of which the next line tells whether it went out
  std::string odd_;      // the last line that is neither command nor reply
  bool reply_open_ = false;
  bool behind_auth_ = false;  // AUTH was said last
  unsigned swallowed_ = 0;
};

}  // namespace smtpscope
