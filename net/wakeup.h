#pragma once

#include <uv.h>

#include "net/handle_ptr.h"
#include "net/loop.h"

namespace smtpscope {

class Wakeup;
using WakeupPtr = HandlePtr<Wakeup>;

/// Lets another thread have a method called on the loop's. Owned through WakeupPtr by the object
/// that it calls. Does not keep the loop alive.
class Wakeup {
 public:
  /// `Wakeup::calling<&Proxy::on_wake>(loop, this)`.
  template <auto method, typename Owner>
  static WakeupPtr calling(Loop& loop, Owner* owner) {
    return WakeupPtr(
        new Wakeup(loop, owner, [](void* self) { (static_cast<Owner*>(self)->*method)(); }));
  }

  /// Any thread, while this is owned. Several calls may end in one of the method.
  void send() { uv_async_send(&handle_); }

  /// See HandleCloser.
  void release();

 private:
  using Call = void (*)(void* owner);
  Wakeup(Loop& loop, void* owner, Call call);
  ~Wakeup() = default;

  uv_async_t handle_;
  void* owner_;
  Call call_;
};

}  // namespace smtpscope
