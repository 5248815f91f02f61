#include "net/signal_watch.h"

namespace smtpscope {

SignalWatch::SignalWatch(Loop& loop, int number, void* owner, Call call)
    : owner_(owner), call_(call) {
  uv_signal_init(loop.uv(), &handle_);
  handle_.data = this;
  uv_signal_start(
      &handle_,
      [](uv_signal_t* handle, int) {
        auto* self = static_cast<SignalWatch*>(handle->data);
        if (self->owner_ != nullptr) self->call_(self->owner_);
      },
      number);
  uv_unref(reinterpret_cast<uv_handle_t*>(&handle_));
}

void SignalWatch::release() {
  owner_ = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_),
           [](uv_handle_t* handle) { delete static_cast<SignalWatch*>(handle->data); });
}

}  // namespace smtpscope
