#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "readers/text/log_reader.h"
#include "readers/text/log_run.h"
#include "readers/text/log_stamp.h"
#include "readers/text/log_table.h"

namespace smtpscope {

/// What sSMTP tells: with -v on standard error, each line with an arrow before it ("[->] HELO ws1",
/// "[<-] 250 mx.example"); with Debug=YES in ssmtp.conf to syslog, without arrows (some versions
/// have them there, too). Of a reply it logs the last line only. The message is there, line by
/// line. It waits for each reply, which is how one tells who said a line that has no arrow.
class SsmtpLog : public LogReader {
 public:
  static std::unique_ptr<LogReader> make(LogRun& run, WallTime latest) {
    return std::make_unique<SsmtpLog>(run, latest);
  }
  SsmtpLog(LogRun& run, WallTime latest)
      : run_(run), latest_(latest), stamps_(latest), sessions_(run) {}

  void read(std::string_view line) override;
  void finish() override { sessions_.forget_all(); }

  static bool recognises(std::string_view beginning);

 private:
  struct Said {
    std::string_view process;
    std::string_view line;
    Time time;
    Fidelity fidelity;
  };

  void arrow(Said said);
  void take(const Said& said, Side from);

  LogRun& run_;
  WallTime latest_;
  LogStamps stamps_;
  LogTable sessions_;
  std::string last_reply_;  // its code
};

}  // namespace smtpscope
