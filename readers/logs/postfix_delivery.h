#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "readers/text/dialogue_book.h"
#include "readers/text/log_run.h"

namespace smtpscope {

struct SyslogLine;

/// What Postfix's smtp and lmtp log of servers without -v: that no connection came about ("connect
/// to mx[192.0.2.25]:25: Connection timed out"), and how a delivery ended ("status=bounced (host
/// mx[192.0.2.25] said: 550 … (in reply to RCPT TO command))"). Of the latter a command, its reply
/// and the stage at which a connection was lost are known. Deliveries that went well are left out.
/// Not thread-safe.
class PostfixDelivery {
 public:
  PostfixDelivery(LogRun& run, WallTime latest);

  void read(const SyslogLine& line);
  void finish() { book_.finish(); }

  /// The message tells of a connection that failed, or of a delivery that did.
  static bool recognises(std::string_view message);

 private:
  void unreached(const SyslogLine& line, std::string_view server, std::string_view why);
  void told_by_server(std::string_view recipient, std::string_view server, std::string_view why);
  void lost(std::string_view recipient, std::string_view server, std::string_view why);

  DialogueBook book_;
  /// By process: what it told last. A delivery repeats it.
  std::unordered_map<std::string, std::string> last_failure_;
};

}  // namespace smtpscope
