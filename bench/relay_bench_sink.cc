#include "bench/relay_bench_sink.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "bench/relay_bench_process.h"

namespace smtpscope::bench {
namespace {

constexpr std::string_view kEndOfData = "\r\n.\r\n";

void watch(int poller, int descriptor) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = descriptor;
  epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
}

}  // namespace

Sink::Sink() : buffer_(256 * 1024, '\0') {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      listen(listener_, 1024) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    std::perror("relay_bench: cannot listen");
    std::exit(2);
  }
  port_ = ntohs(address.sin_port);
  wake_ = eventfd(0, EFD_CLOEXEC);
  thread_ = std::thread([this] { run(); });
}

Sink::~Sink() {
  const std::uint64_t one = 1;
  if (write(wake_, &one, sizeof(one)) != sizeof(one)) std::abort();
  thread_.join();
  for (const auto& [descriptor, session] : sessions_) close(descriptor);
  close(listener_);
  close(wake_);
}

void Sink::run() {
  const int poller = epoll_create1(EPOLL_CLOEXEC);
  watch(poller, listener_);
  watch(poller, wake_);
  std::array<epoll_event, 64> events;
  for (;;) {
    const int count = epoll_wait(poller, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int descriptor = events[static_cast<std::size_t>(i)].data.fd;
      if (descriptor == wake_) {
        close(poller);
        return;
      }
      if (descriptor == listener_) {
        const int accepted = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted < 0) continue;
        const int on = 1;
        setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        constexpr std::string_view kGreeting = "220 sink.example ESMTP\r\n";
        if (write(accepted, kGreeting.data(), kGreeting.size()) < 0) {
          close(accepted);
          continue;
        }
        sessions_.emplace(accepted, Session{});
        watch(poller, accepted);
        continue;
      }
      if (!on_readable(descriptor, sessions_[descriptor])) {
        sessions_.erase(descriptor);
        close(descriptor);
      }
    }
    cpu_seconds_.store(thread_cpu_seconds(), std::memory_order_relaxed);
  }
}

std::string Sink::answer(Session& session, std::string_view line) {
  const std::string_view verb = line.substr(0, 4);
  if (verb == "DATA") {
    session.data = true;
    return "354 go\r\n";
  }
  if (verb == "QUIT") return "221 bye\r\n";
  return "250 ok\r\n";
}

bool Sink::on_readable(int descriptor, Session& session) {
  const ssize_t got = read(descriptor, buffer_.data(), buffer_.size());
  if (got <= 0) return false;
  std::string_view octets(buffer_.data(), static_cast<std::size_t>(got));
  std::string answers;
  if (session.data) {
    const std::string_view last =
        octets.substr(octets.size() - std::min<std::size_t>(5, octets.size()));
    session.tail.append(last);
    if (session.tail.size() > 5) session.tail.erase(0, session.tail.size() - 5);
    if (session.tail != kEndOfData) return true;
    session.data = false;
    session.tail.clear();
    answers = "250 queued\r\n";
  } else {
    session.tail.append(octets);
    for (std::size_t end = session.tail.find('\n'); end != std::string::npos;
         end = session.tail.find('\n')) {
      answers += answer(session, session.tail);
      session.tail.erase(0, end + 1);
    }
  }
  if (answers.empty()) return true;
  return write(descriptor, answers.data(), answers.size()) == static_cast<ssize_t>(answers.size());
}

}  // namespace smtpscope::bench
