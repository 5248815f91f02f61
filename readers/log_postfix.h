#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "readers/log_reader.h"
#include "readers/log_run.h"
#include "readers/log_stamp.h"
#include "readers/log_table.h"

namespace smtpscope {

struct SyslogLine;

/// What Postfix's smtpd logs with -v, or about the clients of debug_peer_list: each line that it
/// reads ("< client[192.0.2.10]: EHLO ws1") and says ("> …"), among much else. Processes are
/// interleaved; each serves one client at a time. smtpd logs a command when it takes it out of its
/// buffer, so pipelined commands look as if they had waited for replies; the message and how the
/// connection was closed are not logged, and what is not printable becomes "?".
class PostfixLog : public LogReader {
 public:
  static std::unique_ptr<LogReader> make(LogRun& run, WallTime latest) {
    return std::make_unique<PostfixLog>(run, latest);
  }
  PostfixLog(LogRun& run, WallTime latest) : run_(run), stamps_(latest), sessions_(run) {}

  void read(std::string_view line) override;
  void finish() override { sessions_.forget_all(); }

  /// A line of `beginning` shows what smtpd says with -v.
  static bool recognises(std::string_view beginning);

 private:
  /// "mail.example.com[192.0.2.10]:50114", the port where smtpd_client_port_logging is on.
  struct Peer {
    std::string_view address, port;
    std::string_view behind;  // the text that follows
  };

  static bool take_peer(std::string_view text, Peer& peer);
  LogSession& session_of(const SyslogLine& line, const Peer& peer, Time now);
  LogSession& open(const SyslogLine& line, const Peer& peer, bool mid_session, Time now);
  const std::string& key_of(const SyslogLine& line, const Peer& peer);
  void dialogue(const SyslogLine& line, Side from);
  void end(const SyslogLine& line);

  LogRun& run_;
  LogStamps stamps_;
  LogTable sessions_;
  std::string key_;
};

}  // namespace smtpscope
