#pragma once

#include <uv.h>

#include "base/result.h"
#include "net/handle_ptr.h"

namespace smtpscope {

class HangupWatch;
using HangupWatchPtr = HandlePtr<HangupWatch>;

/// Told once, when the kernel knows that a connection is broken or closed both ways.
class HangupEvents {
 public:
  virtual void on_hangup() = 0;

 protected:
  ~HangupEvents() = default;
};

/// Watches sockets that are not read from any more, because their peer has sent its FIN, for an RST
/// that comes behind it. libuv cannot: such a socket stays readable, so reading it would spin. One
/// epoll set for all of a loop's sockets, asked for nothing but what epoll always reports (errors
/// and hang-ups). Used on the loop's thread; does not keep the loop running.
class HangupWatch {
 public:
  static Result<HangupWatchPtr> make(uv_loop_t* loop);

  /// `events` hears of it once, from the loop; it must outlive the watch.
  void watch(int descriptor, HangupEvents& events);
  /// Ends the watch of a descriptor, which may not have been watched. To be called before it is
  /// closed: that alone would end it only once no process that is being started has it any more.
  void forget(int descriptor);

  /// See HandleCloser.
  void release();

 private:
  HangupWatch() = default;
  ~HangupWatch() = default;
  void on_ready();

  int epoll_ = -1;
  uv_poll_t poll_{};
};

}  // namespace smtpscope
