#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "capture/octet_source.h"
#include "capture/wire_source.h"
#include "readers/log_reader.h"
#include "readers/log_run.h"

namespace smtpscope {

/// The sessions that a program's log tells, as wire events: cuts the file into lines for the reader
/// of its kind. Not thread-safe.
class LogSource : public WireSource {
 public:
  /// Longer lines are not read: no program logs such. Postfix cuts its own at 2000 octets.
  static constexpr std::size_t kMaxLine = 64 * 1024;

  using MakeReader = std::unique_ptr<LogReader> (*)(LogRun& run, WallTime latest);

  /// `file` is its name. `latest`: when the log was written last.
  LogSource(std::unique_ptr<OctetSource> octets, const std::string& file, MakeReader make,
            WallTime latest);

  const RunInfo& run() const override { return run_.info(); }
  Result<bool> next(WireSink& sink) override;
  void finish(WireSink& sink) override;
  std::vector<SourceNotice> notices() const override { return run_.notices(); }

 private:
  void take(std::string_view text);
  void take_line(std::string_view line);

  std::unique_ptr<OctetSource> octets_;
  LogRun run_;
  std::unique_ptr<LogReader> reader_;
  std::vector<std::uint8_t> buffer_;
  std::string partial_;    // a line whose end has not come
  bool too_long_ = false;  // its beginning was dropped already
};

}  // namespace smtpscope
