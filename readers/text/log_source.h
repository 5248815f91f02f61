#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "capture/octet_source.h"
#include "capture/wire_source.h"
#include "readers/text/log_reader.h"
#include "readers/text/log_run.h"
#include "readers/text/paste_plan.h"

namespace smtpscope {

/// The sessions that a program's log tells, as wire events: cuts the file into lines, takes off
/// what was put around them, and gives them to the reader of its kind. Of lines that come newest
/// first up to kMostTurned octets are kept, to be read in their order at the end. Not thread-safe.
class LogSource : public WireSource {
 public:
  /// Longer lines are not read: no program logs such. Postfix cuts its own at 2000 octets.
  static constexpr std::size_t kMaxLine = 64 * 1024;
  /// What log viewers and tables of them give out is a few thousand lines.
  static constexpr std::size_t kMostTurned = std::size_t{64} * 1024 * 1024;

  using MakeReader = std::unique_ptr<LogReader> (*)(LogRun& run, WallTime latest);

  /// `file` is its name. `latest`: when the log was written last. `plan`: what is around its lines.
  LogSource(std::unique_ptr<OctetSource> octets, const std::string& file, MakeReader make,
            WallTime latest, PastePlan plan = {});

  const RunInfo& run() const override { return run_.info(); }
  Result<bool> next(WireSink& sink) override;
  void finish(WireSink& sink) override;
  std::vector<SourceNotice> notices() const override { return run_.notices(); }

 private:
  void take(std::string_view text);
  void take_line(std::string_view line);
  void read_line(std::string_view line);
  void turn_round();

  std::unique_ptr<OctetSource> octets_;
  LogRun run_;
  PastePlan plan_;
  WallTime latest_;
  std::unique_ptr<LogReader> reader_;
  std::vector<std::uint8_t> buffer_;
  std::string partial_;    // a line whose end has not come
  bool too_long_ = false;  // its beginning was dropped already
  std::string turned_;     // lines that come newest first
};

}  // namespace smtpscope
