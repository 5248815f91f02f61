#pragma once

#include <atomic>

namespace smtpscope {

/// Ctrl-C and SIGTERM set it, so that a job of many runs ends behind the one under way and tells
/// what it has found. A second signal ends the program at once. One at a time.
class StopFlag {
 public:
  StopFlag();
  ~StopFlag();
  StopFlag(const StopFlag&) = delete;
  StopFlag& operator=(const StopFlag&) = delete;

  /// True once it was set. Any thread.
  const std::atomic<bool>& flag() const;
};

}  // namespace smtpscope
