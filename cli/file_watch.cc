#include "cli/file_watch.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "base/system_error.h"

namespace smtpscope {
namespace {

/// Network file systems do not tell of what others write; they are looked at this often.
constexpr int kLookAgainMs = 1000;

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

FileWatch::FileWatch(int changes, int signals) : changes_(changes), signals_(signals) {}

FileWatch::~FileWatch() {
  if (changes_ >= 0) close(changes_);
  close(signals_);
  const sigset_t set = stop_signals();
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

Result<std::unique_ptr<FileWatch>> FileWatch::start(const std::string& path) {
  const sigset_t set = stop_signals();
  sigprocmask(SIG_BLOCK, &set, nullptr);
  const int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0) {
    const int error = errno;
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    return Error{fmt::format("cannot follow {}: {}", path, system_words(error))};
  }
  int changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (changes >= 0 && inotify_add_watch(changes, path.c_str(), IN_MODIFY) < 0) {
    close(changes);
    changes = -1;
  }
  return std::unique_ptr<FileWatch>(new FileWatch(changes, signals));
}

bool FileWatch::wait() {
  std::array<pollfd, 2> sources = {{{signals_, POLLIN, 0}, {changes_, POLLIN, 0}}};
  while (poll(sources.data(), sources.size(), kLookAgainMs) < 0 && errno == EINTR) {
  }
  if ((sources[0].revents & POLLIN) != 0) {
    // Taken here, or it would end the program once it is no longer blocked.
    signalfd_siginfo taken;
    return read(signals_, &taken, sizeof taken) != sizeof taken;
  }
  if ((sources[1].revents & POLLIN) != 0) {
    std::array<char, 4096> events;
    while (read(changes_, events.data(), events.size()) > 0) {
    }
  }
  return true;
}

}  // namespace smtpscope
