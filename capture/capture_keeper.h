#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/result.h"
#include "base/time.h"
#include "capture/capture_name.h"
#include "capture/capture_writer.h"

namespace smtpscope {

/// What becomes of the files of a run that are full.
struct CaptureKeeping {
  enum class Compression : std::uint8_t { kNone, kGzip, kZstd };

  Compression compress = Compression::kNone;
  // Of the files of the pattern, besides the one that is written, the oldest go beyond these.
  std::optional<std::uint64_t> most_files;
  std::optional<std::uint64_t> most_octets;
  std::optional<Duration> oldest;
};

/// Closes the files of a run that are full, compresses them and removes those that are too many: on
/// a thread of its own, so that nobody waits for it. Called by one thread.
class CaptureKeeper {
 public:
  /// `tell` may be called on any thread.
  CaptureKeeper(CaptureName name, CaptureKeeping keeping, CaptureWriter::Tell tell);
  /// Finishes.
  ~CaptureKeeper();
  CaptureKeeper(const CaptureKeeper&) = delete;
  CaptureKeeper& operator=(const CaptureKeeper&) = delete;

  /// `path`: where it writes; "" for what is neither compressed nor removed. `next`: the file that
  /// is written from now on.
  void retire(std::unique_ptr<CaptureWriter> writer, std::string path, std::string next);
  /// Waits until all is done; after `patience` what is being compressed is left as it is. Nothing
  /// can be retired afterwards.
  void finish(Duration patience);

  /// Of the files that were closed.
  CaptureWriter::Totals totals() const;
  /// All that they should hold is in them.
  bool whole() const;

 private:
  struct Job {
    std::unique_ptr<CaptureWriter> writer;
    std::string path;
    std::string next;
  };

  void run();
  bool is_closing() const;
  void close(Job& job);
  void compress(const std::string& path);
  void prune(const std::string& next);
  void say(std::string_view text);

  const CaptureName name_;
  const CaptureKeeping keeping_;
  const CaptureWriter::Tell tell_;
  std::atomic<bool> hurry_{false};

  mutable std::mutex mutex_;  // for what follows
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool closing_ = false;
  bool ended_ = false;
  bool whole_ = true;
  CaptureWriter::Totals totals_;

  std::thread thread_;
};

}  // namespace smtpscope
