#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "capture/wire_source.h"
#include "readers/text/log_source.h"

namespace smtpscope {

/// What a log tells, an event per line: "1 +10.000 C MAIL FROM:<alice@example.com>", "1 +0.000 open
/// 192.0.2.10 > mx", "1 +11.000 C <hole 300>", "1 +11.000 end". Masked octets are "#".
struct ToldLog {
  std::vector<std::string> lines;
  std::vector<Fidelity> fidelities;  // of each session
  std::vector<SourceNotice> notices;
  RunInfo run;

  /// Those of one session, without its number and the times.
  std::vector<std::string> session(int number) const;
};

/// The moment that the tests' logs were written last: 2026-11-25T13:00:00Z.
WallTime written();

ToldLog tell_log(LogSource::MakeReader make, std::string text, std::size_t per_read = 4096);
/// The same of a text of whatever format, as open_source() reads it.
ToldLog tell_text(const std::string& text);
/// A file of tests/readers/logs.
std::string log_file(std::string_view name);

}  // namespace smtpscope
