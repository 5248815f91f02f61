#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "readers/text/foreign_lines.h"
#include "readers/text/log_reader.h"
#include "readers/text/log_run.h"
#include "readers/text/log_stamp.h"
#include "readers/text/log_table.h"

namespace smtpscope {

/// What Exim prints with -v and -d (receive and transport are enough: -d-all+receive+transport+pid
/// +timestamp): "SMTP<< EHLO ws1" is what it read, "SMTP>> 250 …" what it said, further lines of a
/// reply are indented. As a server and, in its deliveries, as a client. Processes are told apart by
/// their numbers, which stand in front as soon as there are several; times of the day only with
/// +timestamp. Passwords that it sends are "*". The messages are not there.
class EximLog : public LogReader {
 public:
  static std::unique_ptr<LogReader> make(LogRun& run, WallTime latest) {
    return std::make_unique<EximLog>(run, latest);
  }
  EximLog(LogRun& run, WallTime latest)
      : run_(run), latest_(latest), stamps_(latest), sessions_(run), foreign_(run, latest) {}

  void read(std::string_view line) override;
  void finish() override;

  static bool recognises(std::string_view beginning);

 private:
  /// What is known of a process.
  struct Process {
    std::string peer;            // of its next session
    Side exim = Side::kServer;   // whose part it plays in the session that goes on
    bool last_was_exim = false;  // the last line was said by it, not read
    bool more_to_come = false;   // the last line was one of a reply, not the last
    bool closed = false;         // the other side has gone
    bool closing = false;        // Exim has closed; its log may still tell why
  };
  /// Far more than run at a time; beyond, what is known of the others is forgotten.
  static constexpr std::size_t kMaxProcesses = 4096;

  /// False: Exim wrote nothing of the kind.
  bool read_line(std::string_view line);
  Process& process(std::string_view key);
  void dialogue(std::string_view key, std::string_view said, bool by_exim);
  void peer_closed(std::string_view key);
  void closed(std::string_view key);
  void failed_handshake(std::string_view line);
  void say(std::string_view key, Process& process, std::string_view said, bool by_exim);

  LogRun& run_;
  WallTime latest_;
  LogStamps stamps_;
  LogTable sessions_;
  std::unordered_map<std::string, Process> processes_;
  ForeignLines foreign_;
  // Of the line being read.
  Time now_;
  Fidelity fidelity_;
};

}  // namespace smtpscope
