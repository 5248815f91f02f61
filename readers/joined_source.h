#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "capture/wire_source.h"
#include "readers/reader_list.h"

namespace smtpscope {

/// Which part of which run a capture is.
struct RunPart {
  std::string run;
  std::uint64_t part = 0;
};
/// Nothing for what is no capture of smtpscope, or cannot be read, or is a run of its own.
std::optional<RunPart> run_part_of(const std::string& path);

/// The files in groups that are read as one: those that are parts of one run stand together, in
/// their order, where the first of them stands. Looks into each, unless there is only one.
std::vector<std::vector<std::string>> grouped_by_run(const std::vector<std::string>& files);

/// Those of the files that are parts of that run, in their order.
std::vector<std::string> parts_of_run(const std::string& run,
                                      const std::vector<std::string>& files);

/// One file, or several that are parts of one run.
Result<std::unique_ptr<WireSource>> open_files(const std::vector<std::string>& files,
                                               const SourceOptions& options);

/// The parts of a run read as one capture. What stands in two of them is told once. A part that is
/// missing in between is a gap. Files are open one at a time. Not thread-safe.
class JoinedSource : public WireSource, private WireSink {
 public:
  /// `files`: two or more, in order. The Error is of the first.
  static Result<std::unique_ptr<WireSource>> open(const std::vector<std::string>& files,
                                                  const SourceOptions& options);

  const RunInfo& run() const override { return run_; }
  Result<bool> next(WireSink& sink) override;
  void finish(WireSink& sink) override;
  std::vector<SourceNotice> notices() const override;

 private:
  struct Heard {
    std::size_t file = 0;     // where it was last heard of
    bool in_opening = false;  // what was told before stands there, and there only
  };

  JoinedSource(std::vector<std::string> files, SourceOptions options);
  Result<bool> open_next(WireSink& sink);
  void close_source();
  void on_wire(const WireEvent& event) override;
  bool is_told(const WireEvent& event);

  const std::vector<std::string> files_;
  const SourceOptions options_;
  RunInfo run_;
  std::size_t at_ = 0;  // the file that is read
  std::unique_ptr<WireSource> source_;
  std::unordered_map<SessionId, Heard> heard_;
  Time last_time_;
  WireSink* sink_ = nullptr;  // during next() and finish()
  std::vector<SourceNotice> notices_;
};

}  // namespace smtpscope
