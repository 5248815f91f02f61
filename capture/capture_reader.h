#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "capture/event_line.h"
#include "capture/octet_source.h"
#include "capture/wire_event.h"
#include "capture/wire_source.h"

namespace smtpscope {

/// Reads a capture line by line, in bounded memory. A line that cannot be read becomes a gap of
/// the whole run. Can be asked again after the file has grown. Not thread-safe.
class CaptureReader : public WireSource {
 public:
  /// Longer lines count as corrupt. Our writer's are below 1 MiB: a read of 64 KiB, masked.
  static constexpr std::size_t kMaxLine = std::size_t{16} * 1024 * 1024;

  /// Opens `path` ("-": standard input) and reads the header.
  static Result<std::unique_ptr<CaptureReader>> open(const std::string& path);
  /// Reads from the beginning of `octets`; `name` is for messages.
  static Result<std::unique_ptr<CaptureReader>> open(std::unique_ptr<OctetSource> octets,
                                                     const std::string& name);

  /// What the header says; `source` is the file's name.
  const RunInfo& run() const override { return run_; }
  /// Hands the next event to `sink`.
  Result<bool> next(WireSink& sink) override;
  void finish(WireSink& /*sink*/) override {}
  std::vector<SourceNotice> notices() const override;

 private:
  enum class Found : std::uint8_t { kLine, kTooLong, kEnd };

  explicit CaptureReader(std::unique_ptr<OctetSource> octets);

  Result<Found> next_line(std::string_view& line);
  Result<std::size_t> read_more();
  void hand_over_gap(std::string_view complaint, WireSink& sink);

  std::unique_ptr<OctetSource> octets_;
  RunInfo run_;
  EventLine line_;
  std::vector<std::uint8_t> buffer_;
  std::size_t begin_ = 0;    // of what is not yet taken
  std::size_t scanned_ = 0;  // up to here there is no line end
  std::size_t end_ = 0;
  bool skipping_ = false;    // inside a line that is too long
  std::uint64_t lines_ = 0;  // ended so far
  Time last_time_;
  std::uint64_t corrupt_ = 0;
  std::string first_complaint_;
  std::map<std::string, std::uint64_t> unknown_;  // events by kind, a few kinds only
  std::uint64_t unknown_in_all_ = 0;
};

}  // namespace smtpscope
