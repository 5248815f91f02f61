#pragma once

#include <string_view>

namespace smtpscope {

/// Reads the lines of one kind of log and tells the sessions in them (to a LogRun). Lines are data:
/// they may be anything. Bounded memory; not thread-safe.
class LogReader {
 public:
  virtual ~LogReader() = default;

  /// The next line, without its end.
  virtual void read(std::string_view line) = 0;
  /// The log is over.
  virtual void finish() = 0;
};

}  // namespace smtpscope
