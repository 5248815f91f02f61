#include "net/loop.h"

#include <cassert>
#include <csignal>
#include <string>
#include <utility>

namespace smtpscope {

Result<std::unique_ptr<Loop>> Loop::make() {
  std::unique_ptr<Loop> loop(new Loop);
  if (const int fault = uv_loop_init(&loop->loop_); fault != 0) {
    loop->loop_.data = nullptr;
    return Error{std::string("cannot start the event loop: ") + uv_strerror(fault)};
  }
  loop->loop_.data = loop.get();
  auto hangups = HangupWatch::make(loop->uv());
  if (!hangups) return hangups.error();
  loop->hangups_ = std::move(hangups.value());
  std::signal(SIGPIPE, SIG_IGN);
  loop->started_ = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  loop->origin_ns_ = uv_hrtime();
  return loop;
}

Loop::~Loop() {
  if (loop_.data == nullptr) return;
  hangups_.reset();
  uv_run(&loop_, UV_RUN_DEFAULT);
  [[maybe_unused]] const int left_open = uv_loop_close(&loop_);
  assert(left_open == 0);
}

void Loop::count_from(WallTime earlier) {
  origin_ns_ -= static_cast<std::uint64_t>((started_ - earlier).count());
  started_ = earlier;
}

void Loop::run() { uv_run(&loop_, UV_RUN_DEFAULT); }

void Loop::stop() { uv_stop(&loop_); }

void Loop::run_ready() { uv_run(&loop_, UV_RUN_NOWAIT); }

int Loop::descriptor() const { return uv_backend_fd(&loop_); }

Time Loop::now() const { return at_ns(static_cast<Duration::rep>(uv_hrtime() - origin_ns_)); }

}  // namespace smtpscope
