#pragma once

#include <string_view>

#include "readers/text/dialogue_book.h"
#include "readers/text/log_run.h"

namespace smtpscope {

struct SyslogLine;

/// What Postfix's smtp and lmtp log with -v, or about the servers of debug_peer_list: ">
/// mx[192.0.2.25]:25: EHLO out" is what they say, "< …" what they read. A process has one session
/// at a time. The message is not shown; QUIT is written before the reply to it is read, and the
/// reply to QUIT never is. Not thread-safe.
class PostfixSmtp {
 public:
  PostfixSmtp(LogRun& run, WallTime latest);

  void read(const SyslogLine& line);
  void finish() { book_.finish(); }
  /// The dialogue of this process is in the log.
  bool tells(std::string_view process) { return book_.find(process) != nullptr; }

  /// The message shows a dialogue of smtp's.
  static bool recognises(std::string_view message);

 private:
  DialogueBook book_;
};

}  // namespace smtpscope
