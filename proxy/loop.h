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
  /// Octets per read. With 64 KiB a large message costs one read and one write per 64 KiB; larger
  /// reads were measured and gained nothing (the buffer then falls out of the L2 cache).
  static constexpr std::size_t kReadOctets = std::size_t{64} * 1024;

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
