#include "net/connection.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cassert>
#include <utility>
#include <vector>

#include "net/tcp_state.h"

namespace smtpscope {
namespace {

CloseKind kind_of(ssize_t fault) {
  switch (fault) {
    case UV_EOF:
      return CloseKind::kFin;
    case UV_ECONNRESET:
    case UV_EPIPE:
      return CloseKind::kReset;
    case UV_ETIMEDOUT:
      return CloseKind::kTimeout;
    default:
      return CloseKind::kError;
  }
}

}  // namespace

/// Octets the kernel did not take, and libuv's request to write them.
struct Connection::Waiting {
  uv_write_t request;
  Connection* connection;
  std::vector<std::uint8_t> octets;
};

std::optional<SocketAddress> Connection::original_destination() const {
  sockaddr_storage found{};
  socklen_t length = sizeof(found);
  // What an IPv4 client has asked for is known to IPv4, on a dual-stack socket too. Both have the
  // same number (linux/netfilter_ipv4.h, netfilter_ipv6/ip6_tables.h).
  constexpr int kOriginal = 80;
  for (const int level : {SOL_IP, SOL_IPV6}) {
    if (::getsockopt(descriptor(), level, kOriginal, &found, &length) == 0) {
      return SocketAddress(reinterpret_cast<const sockaddr*>(&found)).unmapped();
    }
    length = sizeof(found);
  }
  return std::nullopt;
}

ConnectionPtr Connection::make(Loop& loop, Transport transport) {
  return ConnectionPtr(new Connection(loop, transport));
}

Connection::Connection(Loop& loop, Transport transport) {
  if (transport == Transport::kTcp) {
    uv_tcp_init(loop.uv(), &handle_.tcp);
  } else {
    uv_pipe_init(loop.uv(), &handle_.pipe, 0);
  }
  handle_.handle.data = this;
}

void Connection::start_reading() { uv_read_start(stream(), on_allocate, on_uv_read); }

void Connection::stop_reading() { uv_read_stop(stream()); }

Connection::Sent Connection::send(std::span<const std::uint8_t> octets) {
  if (writes_waiting_ == 0) {
    const uv_buf_t all = uv_buf_init(
        const_cast<char*>(reinterpret_cast<const char*>(octets.data())),  // libuv does not write
        static_cast<unsigned>(octets.size()));
    const int taken = uv_try_write(stream(), &all, 1);
    if (taken < 0 && taken != UV_EAGAIN) {
      note_fault(taken);
      return {0, true};
    }
    if (taken > 0) octets = octets.subspan(static_cast<std::size_t>(taken));
    if (octets.empty()) return {};
  }
  auto* waiting = new Waiting{{}, this, {octets.begin(), octets.end()}};
  waiting->request.data = waiting;
  const uv_buf_t rest = uv_buf_init(reinterpret_cast<char*>(waiting->octets.data()),
                                    static_cast<unsigned>(waiting->octets.size()));
  if (uv_write(&waiting->request, stream(), &rest, 1, on_uv_written) != 0) {
    delete waiting;
    return {0, true};
  }
  ++writes_waiting_;
  return {octets.size(), false};
}

void Connection::finish() {
  assert(writes_waiting_ == 0);
  // Not uv_shutdown: with nothing queued it would only put the same call off to the next turn of
  // the loop, and a pending request forbids uv_tcp_close_reset. Fails only when already broken,
  // which reading will tell.
  ::shutdown(descriptor(), SHUT_WR);
}

bool Connection::is_broken() const {
  // A TCP socket hangs up once it was reset, or both sides have sent FIN; a Unix socket as soon as
  // its peer has closed in peace.
  const int broken = handle_.handle.type == UV_TCP ? POLLERR | POLLHUP : POLLERR;
  pollfd state{descriptor(), 0, 0};
  return ::poll(&state, 1, 0) == 1 && (state.revents & broken) != 0;
}

std::size_t Connection::unconfirmed() const {
  int octets = 0;
  if (handle_.handle.type != UV_TCP || ::ioctl(descriptor(), SIOCOUTQ, &octets) != 0) return 0;
  return static_cast<std::size_t>(octets);
}

void Connection::note_fault(int fault) {
  if (fault_ == 0) fault_ = fault;
}

void Connection::set_no_delay() {
  if (handle_.handle.type == UV_TCP) uv_tcp_nodelay(tcp(), 1);
}

void Connection::set_keep_alive() {
  if (handle_.handle.type != UV_TCP) return;
  const int on = 1;
  ::setsockopt(descriptor(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

std::optional<Duration> Connection::round_trip() const {
  if (handle_.handle.type != UV_TCP) return std::nullopt;
  return tcp_round_trip(descriptor());
}

std::optional<TcpFigures> Connection::figures() const {
  if (handle_.handle.type != UV_TCP) return std::nullopt;
  return tcp_figures(descriptor());
}

std::optional<SocketAddress> Connection::own_address() const {
  sockaddr_storage storage;
  int length = sizeof(storage);
  if (uv_tcp_getsockname(&handle_.tcp, reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
    return std::nullopt;
  }
  return SocketAddress(reinterpret_cast<const sockaddr*>(&storage));
}

void Connection::release() {
  events_ = nullptr;
  if (watched_) static_cast<Loop*>(handle_.handle.loop->data)->hangups().forget(descriptor());
  const auto on_closed = [](uv_handle_t* handle) { delete static_cast<Connection*>(handle->data); };
  if (reset_ && handle_.handle.type == UV_TCP && uv_tcp_close_reset(tcp(), on_closed) == 0) return;
  uv_close(&handle_.handle, on_closed);
}

int Connection::descriptor() const {
  uv_os_fd_t descriptor = -1;
  uv_fileno(&handle_.handle, &descriptor);
  return descriptor;
}

void Connection::on_allocate(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
  // libuv reads on, up to 32 times, while reads fill the buffer: one peer that sends without pause
  // would hold up all the others. Without a buffer it stops, and comes back in the next turn.
  if (std::exchange(static_cast<Connection*>(handle->data)->filled_buffer_, false)) {
    *buffer = uv_buf_init(nullptr, 0);
    return;
  }
  const std::span<std::byte> room = static_cast<Loop*>(handle->loop->data)->read_buffer().room();
  *buffer = uv_buf_init(reinterpret_cast<char*>(room.data()), static_cast<unsigned>(room.size()));
}

void Connection::on_uv_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
  if (count == 0 || count == UV_ENOBUFS) return;  // EAGAIN; see on_allocate()
  auto* self = static_cast<Connection*>(stream->data);
  self->filled_buffer_ = count > 0 && static_cast<std::size_t>(count) == buffer->len;
  if (self->events_ == nullptr) return;
  if (count > 0) {
    const Time when = static_cast<Loop*>(stream->loop->data)->now();
    self->events_->on_read(
        *self, when,
        {reinterpret_cast<const std::uint8_t*>(buffer->base), static_cast<std::size_t>(count)});
    return;
  }
  if (count == UV_EOF && buffer->base == nullptr) {
    // After a short read libuv takes a hang-up for the end without asking the socket. There may be
    // more to read, and it may be a reset.
    uv_read_start(stream, on_allocate, on_uv_read);
    return;
  }
  uv_read_stop(stream);
  self->end_reading(static_cast<int>(count));
}

void Connection::end_reading(int fault) {
  // A socket reports a reset once, and then only that nothing more comes. EPIPE is the reset of a
  // peer whose FIN had come before: that FIN is told first, and on_hangup() tells the reset.
  if (fault == UV_EOF && fault_ != 0 && fault_ != UV_EPIPE) fault = fault_;
  const CloseKind kind = kind_of(fault);
  events_->on_closed(*this, kind, kind == CloseKind::kError ? uv_strerror(fault) : "");
  if (kind != CloseKind::kFin || events_ == nullptr) return;
  static_cast<Loop*>(handle_.handle.loop->data)->hangups().watch(descriptor(), *this);
  watched_ = true;
}

void Connection::on_hangup() {
  if (events_ == nullptr) return;
  int fault = 0;
  socklen_t length = sizeof(fault);
  ::getsockopt(descriptor(), SOL_SOCKET, SO_ERROR, &fault, &length);
  fault = fault == 0 ? fault_ : uv_translate_sys_error(fault);
  if (fault == 0) return;  // closed both ways in peace
  const CloseKind kind = kind_of(fault);
  events_->on_closed(*this, kind, kind == CloseKind::kError ? uv_strerror(fault) : "");
}

void Connection::on_uv_written(uv_write_t* request, int status) {
  auto* waiting = static_cast<Waiting*>(request->data);
  Connection* self = waiting->connection;
  delete waiting;
  --self->writes_waiting_;
  if (status != 0 && status != UV_ECANCELED) self->note_fault(status);
  if (self->events_ == nullptr) return;
  if (status != 0) {
    // Later writes of the queue fail for the same reason; the first failure tells it all.
    ConnectionEvents* events = self->events_;
    if (self->writes_waiting_ == 0) events->on_write_failed(*self);
  } else if (self->writes_waiting_ == 0) {
    self->events_->on_drained(*self);
  }
}

}  // namespace smtpscope
