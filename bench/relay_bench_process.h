#pragma once

#include <sys/types.h>

#include <string>

namespace smtpscope::bench {

/// A relay under test: one child process with its threads. Stopped by SIGTERM when destroyed.
class Process {
 public:
  Process() = default;
  ~Process() { stop(); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Starts `command`, split at blanks, without a shell; its output goes to /dev/null.
  bool start(const std::string& command);
  void stop();
  /// CPU time of all its threads so far, by the scheduler's own count; 0 when not started.
  double cpu_seconds() const;
  double rss_kb() const;

 private:
  pid_t pid_ = -1;
};

/// CPU time of the calling thread.
double thread_cpu_seconds();

/// A port of 127.0.0.1 that nobody listens on just now.
int free_port();

/// Connects until somebody accepts; false after 10 s.
bool wait_until_listening(int port);

/// A non-blocking TCP socket connecting to 127.0.0.1:`port`, TCP_NODELAY set; -1 on failure.
int connect_to(int port);

}  // namespace smtpscope::bench
