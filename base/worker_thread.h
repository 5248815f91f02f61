#pragma once

#include <signal.h>

#include <thread>
#include <utility>

namespace smtpscope {

/// Starts a thread of `run` that takes no signals: they are the loop's business. It inherits the
/// mask, so that none can reach it before it has one.
template <typename Run>
std::thread start_worker(Run run) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  std::thread thread(std::move(run));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace smtpscope
