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
#include "capture/wire_event.h"

namespace smtpscope {

/// Something about a capture that its reader should be told, although reading went on.
struct CaptureNotice {
  enum class Kind : std::uint8_t {
    kCut,      // it ends inside a line
    kCorrupt,  // lines that could not be read, and became gaps
    kUnknown,  // events of kinds that this version does not know
  };
  Kind kind = Kind::kCut;
  std::uint64_t count = 1;
  std::string text;  // one sentence, without the file's name
};

/// Reads a capture line by line, in bounded memory. A line that cannot be read becomes a gap of
/// the whole run. Can be asked again after the file has grown. Not thread-safe.
class CaptureReader {
 public:
  /// Longer lines count as corrupt. Our writer's are below 1 MiB: a read of 64 KiB, masked.
  static constexpr std::size_t kMaxLine = std::size_t{16} * 1024 * 1024;

  /// Opens `path` ("-": standard input) and reads the header.
  static Result<std::unique_ptr<CaptureReader>> open(const std::string& path);
  /// Reads what is open already, and closes it in the end; `name` is for messages.
  static Result<std::unique_ptr<CaptureReader>> open(int descriptor, const std::string& name);
  ~CaptureReader();
  CaptureReader(const CaptureReader&) = delete;
  CaptureReader& operator=(const CaptureReader&) = delete;

  /// What the header says; `source` is the file's name.
  const RunInfo& run() const { return run_; }

  /// Hands the next event to `sink`. False when there is none: at the end of the file as it is
  /// now. The Error is one of reading; what the file holds is never one.
  Result<bool> next(WireSink& sink);

  /// What there is to be told up to now. Only when nothing more is expected a line that is not
  /// whole is a cut.
  std::vector<CaptureNotice> notices() const;

 private:
  enum class Found : std::uint8_t { kLine, kTooLong, kEnd };

  CaptureReader(int descriptor, std::string name);

  Result<Found> next_line(std::string_view& line);
  Result<std::size_t> read_more();
  void hand_over_gap(std::string_view complaint, WireSink& sink);

  int descriptor_;
  std::string name_;
  RunInfo run_;
  EventLine line_;
  std::vector<char> buffer_;
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
