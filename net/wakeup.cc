#include "net/wakeup.h"

namespace smtpscope {

Wakeup::Wakeup(Loop& loop, void* owner, Call call) : owner_(owner), call_(call) {
  uv_async_init(loop.uv(), &handle_, [](uv_async_t* handle) {
    auto* self = static_cast<Wakeup*>(handle->data);
    if (self->owner_ != nullptr) self->call_(self->owner_);
  });
  handle_.data = this;
  uv_unref(reinterpret_cast<uv_handle_t*>(&handle_));
}

void Wakeup::release() {
  owner_ = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_),
           [](uv_handle_t* handle) { delete static_cast<Wakeup*>(handle->data); });
}

}  // namespace smtpscope
