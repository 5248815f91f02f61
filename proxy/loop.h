#pragma once

#include <uv.h>

#include <array>
#include <cstddef>
#include <memory>

#include "base/result.h"
#include "base/time.h"

namespace smtpscope {

/// The event loop of a run, its clock, and the buffer that all reads share: what was read is
/// handed on before the next read, so an idle session needs none of its own. Everything in proxy/
/// runs on the loop's thread. Must outlive all that was made on it.
class Loop {
 public:
  /// Octets per read. For large messages the CPU spent per MB falls with it (measured, relay alone:
  /// 64 KiB 100 %, 128 KiB 67 %, 256 KiB 59 %). Beyond, one session would hold up the others for
  /// too long; and this is also what may wait for a peer that does not read.
  static constexpr std::size_t kReadOctets = std::size_t{256} * 1024;

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
  /// The wall clock at time zero.
  WallTime started() const { return started_; }

  uv_loop_t* uv() { return &loop_; }
  uv_buf_t read_buffer() { return uv_buf_init(buffer_.data(), kReadOctets); }

 private:
  Loop() = default;

  uv_loop_t loop_{};
  std::uint64_t origin_ns_ = 0;
  WallTime started_;
  std::array<char, kReadOctets> buffer_;
};

}  // namespace smtpscope
