#include "net/hangup_watch.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace smtpscope {

Result<HangupWatchPtr> HangupWatch::make(uv_loop_t* loop) {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return Error{std::string("cannot watch connections: ") + std::strerror(errno)};
  auto* watch = new HangupWatch;
  watch->epoll_ = epoll;
  watch->poll_.data = watch;
  if (const int fault = uv_poll_init(loop, &watch->poll_, epoll); fault != 0) {
    ::close(epoll);
    delete watch;
    return Error{std::string("cannot watch connections: ") + uv_strerror(fault)};
  }
  uv_poll_start(&watch->poll_, UV_READABLE, [](uv_poll_t* poll, int, int) {
    static_cast<HangupWatch*>(poll->data)->on_ready();
  });
  uv_unref(reinterpret_cast<uv_handle_t*>(&watch->poll_));
  return HangupWatchPtr(watch);
}

void HangupWatch::watch(int descriptor, HangupEvents& events) {
  epoll_event what{};
  what.events = EPOLLONESHOT;
  what.data.ptr = &events;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &what);
}

void HangupWatch::forget(int descriptor) {
  epoll_event ignored{};
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, &ignored);
}

/// One at a time: what is done about one may close others.
void HangupWatch::on_ready() {
  epoll_event what{};
  while (::epoll_wait(epoll_, &what, 1, 0) == 1) {
    static_cast<HangupEvents*>(what.data.ptr)->on_hangup();
  }
}

void HangupWatch::release() {
  uv_poll_stop(&poll_);
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), [](uv_handle_t* handle) {
    auto* watch = static_cast<HangupWatch*>(handle->data);
    ::close(watch->epoll_);
    delete watch;
  });
}

}  // namespace smtpscope
