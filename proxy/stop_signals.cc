#include "proxy/stop_signals.h"

#include <fmt/format.h>

namespace smtpscope {

StopSignals::StopSignals(Loop& loop, Proxy& proxy, ProxyNotices& notices)
    : proxy_(&proxy), notices_(notices) {
  for (uv_signal_t* handle : {&interrupt_, &terminate_}) {
    uv_signal_init(loop.uv(), handle);
    handle->data = this;
    uv_signal_start(handle, on_signal, handle == &interrupt_ ? SIGINT : SIGTERM);
    uv_unref(reinterpret_cast<uv_handle_t*>(handle));
  }
}

StopSignalsPtr StopSignals::make(Loop& loop, Proxy& proxy, ProxyNotices& notices) {
  return StopSignalsPtr(new StopSignals(loop, proxy, notices));
}

void StopSignals::release() {
  proxy_ = nullptr;
  for (uv_signal_t* handle : {&interrupt_, &terminate_}) {
    uv_close(reinterpret_cast<uv_handle_t*>(handle), [](uv_handle_t* closed) {
      auto* self = static_cast<StopSignals*>(closed->data);
      if (--self->open_handles_ == 0) delete self;
    });
  }
}

void StopSignals::on_signal(uv_signal_t* handle, int) {
  auto* self = static_cast<StopSignals*>(handle->data);
  if (self->proxy_ == nullptr) return;
  if (self->seen_) {
    self->proxy_->stop_now();
    return;
  }
  self->seen_ = true;
  self->proxy_->stop();
  if (const std::size_t open = self->proxy_->open_sessions(); open > 0) {
    self->notices_.notice(
        fmt::format("stopping; {} open {} may end by themselves (a second signal ends {} at once)",
                    open, open == 1 ? "session" : "sessions", open == 1 ? "it" : "them"));
  }
}

}  // namespace smtpscope
