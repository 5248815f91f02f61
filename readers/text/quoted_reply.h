#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "readers/text/dialogue_book.h"

namespace smtpscope {

/// "550 5.7.1 <bob@example.net>: no" in a line of something else, up to its end; "" if there is
/// none: a code that refuses (RFC 5321 4.2.1), with an enhanced one behind it (RFC 3463), or where
/// programs quote what a server said.
std::string_view reply_quoted_in(std::string_view line);

/// A refusal that a program's error, a bounce or a log quotes, and what else its line and those
/// around it tell.
struct QuotedRefusal {
  /// The command of a login whose mechanism is not named.
  static constexpr std::string_view kLogin = "AUTH";

  std::vector<std::string> lines;  // of the reply, with their codes
  std::string command;             // that it answers, as far as known; "" if it is not
  bool message = false;            // it answers the message
  std::string server;              // "" where none is named

  /// Empty `lines`: there is none. `around`: where a command may be named, if not in `line`.
  static QuotedRefusal in(std::string_view line, std::string_view around);
  /// As a session that the text begins in the middle of.
  void tell(DialogueBook& book) const;
};

}  // namespace smtpscope
