#pragma once

#include <uv.h>

#include "base/time.h"
#include "net/handle_ptr.h"
#include "net/loop.h"

namespace smtpscope {

class Timer;
using TimerPtr = HandlePtr<Timer>;

/// Calls a method of its owner at a given time, once or again and again. Resolution 1 ms. Owned
/// through TimerPtr by the object that it calls.
class Timer {
 public:
  /// `Timer::calling<&Session::on_deadline>(loop, this)`: not yet started.
  template <auto method, typename Owner>
  static TimerPtr calling(Loop& loop, Owner* owner) {
    return TimerPtr(
        new Timer(loop, owner, [](void* self) { (static_cast<Owner*>(self)->*method)(); }));
  }

  /// Replaces an earlier start.
  void start_once(Duration from_now);
  void start_repeating(Duration period);
  void stop();
  /// It no longer keeps the loop alive.
  void let_loop_end();
  bool is_running() const;

  /// See HandleCloser.
  void release();

 private:
  using Call = void (*)(void* owner);
  Timer(Loop& loop, void* owner, Call call);
  ~Timer() = default;
  static void on_timer(uv_timer_t* handle);

  uv_timer_t handle_;
  void* owner_;
  Call call_;
};

}  // namespace smtpscope
