#pragma once

#include <uv.h>

#include "net/handle_ptr.h"
#include "net/loop.h"

namespace smtpscope {

class SignalWatch;
using SignalWatchPtr = HandlePtr<SignalWatch>;

/// Calls a method of its owner, on the loop's thread, when the process gets a signal, which then
/// does nothing else. Owned through SignalWatchPtr by the object that it calls. Does not keep the
/// loop alive.
class SignalWatch {
 public:
  /// `SignalWatch::calling<&LiveRun::on_hangup>(loop, SIGHUP, this)`.
  template <auto method, typename Owner>
  static SignalWatchPtr calling(Loop& loop, int number, Owner* owner) {
    return SignalWatchPtr(new SignalWatch(
        loop, number, owner, [](void* self) { (static_cast<Owner*>(self)->*method)(); }));
  }

  /// See HandleCloser.
  void release();

 private:
  using Call = void (*)(void* owner);
  SignalWatch(Loop& loop, int number, void* owner, Call call);
  ~SignalWatch() = default;

  uv_signal_t handle_;
  void* owner_;
  Call call_;
};

}  // namespace smtpscope
