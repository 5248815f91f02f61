#include "bench/relay_bench_client.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/relay_bench_process.h"

namespace smtpscope::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::array kWorkloads = {
    Workload{"short", "one 1 kB message per session, 20 sessions", 20, 1000, false},
    Workload{"kept", "1 kB messages, 20 sessions that stay open", 20, 1000, true},
    Workload{"bulk", "10 MB messages, 4 sessions", 4, 10'000'000, true},
    Workload{"rtt", "one session, NOOP ping-pong", 1, 0, true},
    Workload{"idle", "1000 sessions that say nothing behind HELO", 1000, 0, true, false, true},
    Workload{"rtt1", "the same, client, relay and sink on one CPU", 1, 0, true, true},
};

/// 78 octets a line, as mail has it, and the end of data.
std::string message_of(std::size_t octets) {
  std::string message;
  message.reserve(octets + 100);
  while (message.size() < octets) message += std::string(76, 'x') + "\r\n";
  return message + ".\r\n";
}

/// One session of the client end: a script of steps, each sent when the one before is answered.
class Session {
 public:
  enum class Step { kGreeting, kHelo, kNoop, kMail, kRcpt, kData, kMessage, kQuit };

  explicit Session(int descriptor) : descriptor_(descriptor) {}

  int descriptor() const { return descriptor_; }
  bool wants_to_write() const { return !unsent_.empty(); }
  Step step() const { return step_; }

  void send(Step step, std::string_view octets) {
    step_ = step;
    unsent_ = octets;
  }
  /// False when the connection is broken.
  bool write_some() {
    const ssize_t written = write(descriptor_, unsent_.data(), unsent_.size());
    if (written < 0) return errno == EAGAIN;
    unsent_.remove_prefix(static_cast<std::size_t>(written));
    return true;
  }

 private:
  int descriptor_;
  Step step_ = Step::kGreeting;
  std::string_view unsent_;
};

class Client {
 public:
  Client(const Workload& workload, int port, double seconds)
      : workload_(workload),
        port_(port),
        message_(message_of(workload.message_octets)),
        poller_(epoll_create1(EPOLL_CLOEXEC)),
        began_(Clock::now()),
        deadline_(began_ + std::chrono::duration_cast<Clock::duration>(
                               std::chrono::duration<double>(seconds))) {}
  ~Client() { close(poller_); }

  ClientResult run() {
    const double cpu_before = thread_cpu_seconds();
    for (std::size_t i = 0; i < workload_.sessions; ++i) open();
    std::array<epoll_event, 64> events;
    while (open_ > 0 && !result_.failed) {
      if (workload_.idle && result_.messages == workload_.sessions && !idle_.empty()) end_idle();
      const int count = epoll_wait(poller_, events.data(), static_cast<int>(events.size()), 10'000);
      if (count <= 0) result_.failed = true;  // nothing for 10 s
      for (int i = 0; i < count; ++i) {
        on_event(*static_cast<Session*>(events[static_cast<std::size_t>(i)].data.ptr),
                 events[static_cast<std::size_t>(i)].events);
      }
    }
    result_.seconds = std::chrono::duration<double>(Clock::now() - began_).count();
    result_.cpu_seconds = thread_cpu_seconds() - cpu_before;
    if (!round_trips_.empty()) {
      std::sort(round_trips_.begin(), round_trips_.end());
      result_.p50_us = round_trips_[round_trips_.size() / 2];
      result_.p99_us = round_trips_[round_trips_.size() * 99 / 100];
    }
    return result_;
  }

 private:
  using Step = Session::Step;

  void open() {
    const int descriptor = connect_to(port_);
    if (descriptor < 0) {
      result_.failed = true;
      return;
    }
    auto* session = new Session(descriptor);
    watch(*session, EPOLL_CTL_ADD);
    ++open_;
  }

  void watch(Session& session, int operation) {
    epoll_event event{};
    event.events = session.wants_to_write() ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.ptr = &session;
    epoll_ctl(poller_, operation, session.descriptor(), &event);
  }

  void finish(Session& session, bool failed) {
    result_.failed |= failed;
    close(session.descriptor());
    delete &session;
    --open_;
    if (!failed && !workload_.keep && Clock::now() < deadline_) open();
  }

  /// All are open; their time is over.
  void end_idle() {
    std::this_thread::sleep_until(deadline_);
    for (Session* session : idle_) {
      session->send(Step::kQuit, "QUIT\r\n");
      if (session->write_some() && !session->wants_to_write()) continue;
      result_.failed = true;
    }
    idle_.clear();
  }

  void on_event(Session& session, std::uint32_t events) {
    if ((events & EPOLLIN) != 0) {
      const ssize_t got = read(session.descriptor(), buffer_.data(), buffer_.size());
      if (got <= 0) {
        finish(session, true);
        return;
      }
      // The sink answers each step with one short line, so one read is one reply.
      if (session.step() == Step::kQuit) {
        finish(session, false);
        return;
      }
      advance(session);
    }
    const bool waited = (events & EPOLLOUT) != 0;
    if (session.wants_to_write() && !session.write_some()) {
      finish(session, true);
      return;
    }
    if (waited || session.wants_to_write()) watch(session, EPOLL_CTL_MOD);
  }

  void advance(Session& session) {
    switch (session.step()) {
      case Step::kGreeting:
        session.send(Step::kHelo, "HELO client.example\r\n");
        return;
      case Step::kNoop:
        ++result_.messages;
        round_trips_.push_back(
            std::chrono::duration<double, std::micro>(Clock::now() - sent_).count());
        break;
      case Step::kMail:
        session.send(Step::kRcpt, "RCPT TO:<bob@example.net>\r\n");
        return;
      case Step::kRcpt:
        session.send(Step::kData, "DATA\r\n");
        return;
      case Step::kData:
        session.send(Step::kMessage, message_);
        return;
      case Step::kMessage:
        ++result_.messages;
        result_.octets += message_.size();
        if (!workload_.keep) {
          session.send(Step::kQuit, "QUIT\r\n");
          return;
        }
        break;
      case Step::kHelo:
        if (!workload_.idle) break;
        ++result_.messages;
        idle_.push_back(&session);
        return;
      case Step::kQuit:
        break;
    }
    if (session.step() != Step::kHelo && Clock::now() >= deadline_) {
      session.send(Step::kQuit, "QUIT\r\n");
    } else if (workload_.message_octets == 0) {
      sent_ = Clock::now();
      session.send(Step::kNoop, "NOOP\r\n");
    } else {
      session.send(Step::kMail, "MAIL FROM:<alice@example.com>\r\n");
    }
  }

  const Workload& workload_;
  const int port_;
  const std::string message_;
  const int poller_;
  const Clock::time_point began_;
  const Clock::time_point deadline_;
  Clock::time_point sent_;
  std::array<char, 4096> buffer_;
  std::vector<double> round_trips_;
  std::vector<Session*> idle_;
  std::size_t open_ = 0;
  ClientResult result_;
};

}  // namespace

std::span<const Workload> all_workloads() { return kWorkloads; }

ClientResult run_client(const Workload& workload, int port, double seconds) {
  return Client(workload, port, seconds).run();
}

}  // namespace smtpscope::bench
