#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace smtpscope {

/// The time that a line of a log begins with.
struct LogStamp {
  WallTime time;          // as UTC where it names no zone
  Duration resolution{};  // of what is written: one second, a microsecond …
  bool zoned = false;     // it names its zone
  bool yearless = false;  // the year was inferred
  std::size_t size = 0;   // characters taken
};

/// Reads the stamps of logs: RFC 3339 ("2026-11-25T02:36:00.123456+01:00", also with a blank for
/// the T, without a zone, with decimals behind a comma) and that of syslog (RFC 3164 4.1.2: "Nov 25
/// 02:36:00", also with decimals). The latter names no year: it is inferred from the stamp before,
/// and for the first from when the log was written last. Not thread-safe.
class LogStamps {
 public:
  /// `latest`: no stamp lies later.
  explicit LogStamps(WallTime latest) : latest_(latest) {}

  /// The stamp at the beginning of `line`; empty when there is none.
  std::optional<LogStamp> read(std::string_view line);

  /// A stamp in any form that programs print, at the beginning of `line` or in brackets or quotes
  /// there: the above, "04-Mar-2024 09:15:02 +0100", "04/Mar/2024:09:15:02", "2024/03/04 09:15:02",
  /// a name of a day before them, TAI64N ("@40000000…"), a time of day, with AM or PM. What is
  /// around it is taken with it.
  std::optional<LogStamp> read_any(std::string_view line);

  /// A time of day, "02:36:00" or with decimals, of the day that follows from the one before.
  std::optional<LogStamp> read_time_of_day(std::string_view line);

 private:
  std::optional<LogStamp> read_syslog(std::string_view line);
  std::optional<LogStamp> read_bare(std::string_view line);

  WallTime latest_;
  std::optional<WallTime> last_;  // stamp whose year or day was inferred
};

}  // namespace smtpscope
