#include "net/listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace smtpscope {
namespace {

/// Connections the kernel completes ahead of us; it caps the figure at net.core.somaxconn.
constexpr int kBacklog = 1024;

/// How long nobody is accepted after the kernel could not.
constexpr Duration kRetry = std::chrono::milliseconds(100);

/// A socket bound to `address` and listening; or errno, negative.
int open_listening(const SocketAddress& address, bool transparent) {
  const int descriptor =
      ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (descriptor < 0) return -errno;
  const int on = 1;
  // Accepted sockets inherit the last two: fewer system calls per session.
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  ::setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const bool six = address.family() == AF_INET6;
  const bool as_wanted =
      !transparent ||
      (six ? ::setsockopt(descriptor, SOL_IPV6, IPV6_TRANSPARENT, &on, sizeof(on)) == 0
           : ::setsockopt(descriptor, SOL_IP, IP_TRANSPARENT, &on, sizeof(on)) == 0);
  const socklen_t length = six ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  if (as_wanted && ::bind(descriptor, address.get(), length) == 0 &&
      ::listen(descriptor, kBacklog) == 0) {
    return descriptor;
  }
  const int fault = errno;
  ::close(descriptor);
  return -fault;
}

}  // namespace

Listener::Listener(Loop& loop, int descriptor, ListenerEvents& events)
    : loop_(loop), events_(&events), descriptor_(descriptor) {
  uv_poll_init(loop.uv(), &handle_, descriptor);
  handle_.data = this;
}

Result<ListenerPtr> Listener::make(Loop& loop, const SocketAddress& address, ListenerEvents& events,
                                   bool tls, bool transparent) {
  const int descriptor = open_listening(address, transparent);
  if (descriptor < 0) {
    return Error{fmt::format("cannot listen on {}: {}", address.text(),
                             uv_strerror(uv_translate_sys_error(-descriptor)))};
  }
  ListenerPtr listener(new Listener(loop, descriptor, events));
  listener->tls_ = tls;
  listener->note_address();
  listener->start();
  return listener;
}

Result<ListenerPtr> Listener::adopt(Loop& loop, int descriptor, ListenerEvents& events, bool tls) {
  int listens = 0;
  socklen_t length = sizeof(listens);
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  const bool is_ours =
      ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens != 0 &&
      ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size) == 0 &&
      (bound.ss_family == AF_INET || bound.ss_family == AF_INET6);
  if (!is_ours || ::fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0 ||
      ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK) != 0) {
    ::close(descriptor);
    return Error{fmt::format(
        "descriptor {}, given by LISTEN_FDS, is no listening TCP socket; see ListenStream= in "
        "systemd.socket(5)",
        descriptor)};
  }
  const int on = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  ListenerPtr listener(new Listener(loop, descriptor, events));
  listener->tls_ = tls;
  listener->note_address();
  listener->start();
  return listener;
}

void Listener::note_address() {
  sockaddr_storage bound{};
  socklen_t length = sizeof(bound);
  ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&bound), &length);
  address_ = SocketAddress(reinterpret_cast<const sockaddr*>(&bound));
}

void Listener::stop() {
  polling_ = false;
  uv_poll_stop(&handle_);
}

void Listener::start() {
  polling_ = true;
  uv_poll_start(&handle_, UV_READABLE, [](uv_poll_t* handle, int, int) {
    static_cast<Listener*>(handle->data)->on_readable();
  });
}

/// Not with uv_listen(): it drops the address that accept() gives, and of a client that has reset
/// its connection by then the kernel tells it in no other way.
void Listener::on_readable() {
  while (events_ != nullptr && waiting_ < 0) {
    sockaddr_storage from{};
    socklen_t length = sizeof(from);
    waiting_ = ::accept4(descriptor_, reinterpret_cast<sockaddr*>(&from), &length,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (waiting_ >= 0) {
      waiting_address_ = SocketAddress(reinterpret_cast<const sockaddr*>(&from));
      events_->on_client_waiting(*this);
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR && errno != ECONNABORTED) {
      // No descriptor or no memory is left, or the network is in trouble.
      stop();
      if (!retry_) retry_ = Timer::calling<&Listener::start>(loop_, this);
      retry_->start_once(kRetry);
      return;
    }
  }
  if (events_ != nullptr) stop();
}

Listener::Client Listener::accept() {
  Client client{Connection::make(loop_, Connection::Transport::kTcp), waiting_address_};
  const int descriptor = std::exchange(waiting_, -1);
  uv_tcp_open(client.connection->tcp(), descriptor);
  if (!polling_) start();
  return client;
}

void Listener::release() {
  events_ = nullptr;
  retry_.reset();
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_),
           [](uv_handle_t* handle) { delete static_cast<Listener*>(handle->data); });
  // At once: nobody shall get in any more.
  ::close(descriptor_);
  if (waiting_ >= 0) ::close(waiting_);
}

}  // namespace smtpscope
