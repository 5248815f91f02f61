#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "readers/text/log_stamp.h"

namespace smtpscope {

/// A line as syslog, rsyslog, journalctl and Postfix's postlogd write it: stamp, host, program with
/// its process number, message. Views into the line.
struct SyslogLine {
  LogStamp stamp;
  std::string_view host;
  std::string_view program;  // "postfix/submission/smtpd"
  std::string_view process;  // its number, digits; "" if there is none
  std::string_view message;
};

/// Empty when the line is none.
std::optional<SyslogLine> read_syslog_line(std::string_view line, LogStamps& stamps);

}  // namespace smtpscope
