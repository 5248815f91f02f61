#include "cli/stop_flag.h"

#include <csignal>

namespace smtpscope {
namespace {

std::atomic<bool> stop_wanted = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may set nothing else");

extern "C" void on_stop_signal(int) { stop_wanted = true; }

void handle_stop_signals(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

}  // namespace

StopFlag::StopFlag() {
  stop_wanted = false;
  handle_stop_signals(on_stop_signal);
}

StopFlag::~StopFlag() { handle_stop_signals(SIG_DFL); }

const std::atomic<bool>& StopFlag::flag() const { return stop_wanted; }

}  // namespace smtpscope
