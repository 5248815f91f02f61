#pragma once

#include <optional>
#include <string_view>

#include "readers/text/dialogue_book.h"

namespace smtpscope {

/// What Exim's main log tells of clients: refusals with their command, failed logins, lost
/// connections, time limits. Each is a session of its own that begins in the middle: the log does
/// not say which lines are of one connection. Not thread-safe.
class EximClients {
 public:
  EximClients(LogRun& run, WallTime latest);

  /// A line without its stamp, process and message id. False: it tells of no client.
  bool read(std::string_view line, const std::optional<LogStamp>& stamp);
  void finish() { book_.finish(); }

  /// It tells of one.
  static bool recognises(std::string_view line);

 private:
  DialogueBook book_;
};

}  // namespace smtpscope
