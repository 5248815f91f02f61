#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <unordered_map>

namespace smtpscope::bench {

/// The server end: accepts mail and drops it, on a thread of its own. It looks only at the last
/// octets of a read for the end of data, so that the relay is what limits, not this.
class Sink {
 public:
  Sink();
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  int port() const { return port_; }
  /// CPU time of its thread so far; up to one turn of its loop old.
  double cpu_seconds() const { return cpu_seconds_.load(std::memory_order_relaxed); }

 private:
  struct Session {
    std::string tail;  // an unfinished line, or the last octets of mail data
    bool data = false;
  };

  void run();
  bool on_readable(int descriptor, Session& session);
  static std::string answer(Session& session, std::string_view line);

  int listener_ = -1;
  int wake_ = -1;
  int port_ = 0;
  std::unordered_map<int, Session> sessions_;
  std::string buffer_;
  std::atomic<double> cpu_seconds_{0};
  std::thread thread_;
};

}  // namespace smtpscope::bench
