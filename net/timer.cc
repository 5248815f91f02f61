#include "net/timer.h"

namespace smtpscope {
namespace {

/// Rounded up: a timer must not fire before the moment it was asked for.
std::uint64_t milliseconds(Duration duration) {
  const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return rounded > 0 ? static_cast<std::uint64_t>(rounded) : 0;
}

}  // namespace

Timer::Timer(Loop& loop, void* owner, Call call) : owner_(owner), call_(call) {
  uv_timer_init(loop.uv(), &handle_);
  handle_.data = this;
}

void Timer::start_once(Duration from_now) {
  // libuv counts from the time it last looked at, which may lie far back in a long callback.
  uv_update_time(handle_.loop);
  uv_timer_start(&handle_, on_timer, milliseconds(from_now), 0);
}

void Timer::start_repeating(Duration period) {
  uv_update_time(handle_.loop);
  uv_timer_start(&handle_, on_timer, milliseconds(period), milliseconds(period));
}

void Timer::stop() { uv_timer_stop(&handle_); }

void Timer::let_loop_end() { uv_unref(reinterpret_cast<uv_handle_t*>(&handle_)); }

bool Timer::is_running() const {
  return uv_is_active(reinterpret_cast<const uv_handle_t*>(&handle_)) != 0;
}

void Timer::release() {
  owner_ = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_),
           [](uv_handle_t* handle) { delete static_cast<Timer*>(handle->data); });
}

void Timer::on_timer(uv_timer_t* handle) {
  auto* self = static_cast<Timer*>(handle->data);
  self->call_(self->owner_);
}

}  // namespace smtpscope
