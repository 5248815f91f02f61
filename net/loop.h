#pragma once

#include <uv.h>

#include <cstddef>
#include <memory>

#include "base/read_buffer.h"
#include "base/result.h"
#include "base/time.h"
#include "net/hangup_watch.h"

namespace smtpscope {

/// The event loop of a run, its clock, and the buffer that all reads share: what was read is
/// handed on before the next read, so an idle session needs none of its own. Everything in proxy/
/// runs on the loop's thread. Must outlive all that was made on it.
class Loop {
 public:
  /// Ignores SIGPIPE for the whole process: a peer that has gone is an error of the write.
  static Result<std::unique_ptr<Loop>> make();
  /// Waits for the close callbacks of what was released.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Runs until nothing is left that could happen, or stop().
  void run();
  void stop();
  /// Does what can be done without waiting, for programs with a loop of their own; descriptor()
  /// becomes readable when there is more.
  void run_ready();
  int descriptor() const;

  /// The moment now, from the monotonic clock. Time zero is when the loop was made.
  Time now() const;
  /// Time zero shall be an earlier moment, for a run that goes on with the record of another one.
  /// Before anything has asked for the time.
  void count_from(WallTime earlier);
  /// The wall clock at time zero.
  WallTime started() const { return started_; }

  uv_loop_t* uv() { return &loop_; }
  HangupWatch& hangups() { return *hangups_; }
  ReadBuffer& read_buffer() { return buffer_; }

 private:
  Loop() = default;

  uv_loop_t loop_{};
  std::uint64_t origin_ns_ = 0;
  WallTime started_;
  HangupWatchPtr hangups_;
  ReadBuffer buffer_;
};

}  // namespace smtpscope
