#include "proxy/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cassert>
#include <vector>

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
    if (taken < 0 && taken != UV_EAGAIN) return {0, true};
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

void Connection::set_no_delay() {
  if (handle_.handle.type == UV_TCP) uv_tcp_nodelay(tcp(), 1);
}

std::optional<Duration> Connection::round_trip() const {
  if (handle_.handle.type != UV_TCP) return std::nullopt;
  tcp_info info{};
  socklen_t length = sizeof(info);
  if (::getsockopt(descriptor(), IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return std::nullopt;
  if (info.tcpi_rtt == 0) return std::nullopt;
  return std::chrono::microseconds(info.tcpi_rtt);
}

std::optional<SocketAddress> Connection::peer_address() const {
  sockaddr_storage storage;
  int length = sizeof(storage);
  if (uv_tcp_getpeername(&handle_.tcp, reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
    return std::nullopt;
  }
  return SocketAddress(reinterpret_cast<const sockaddr*>(&storage));
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
  *buffer = static_cast<Loop*>(handle->loop->data)->read_buffer();
}

void Connection::on_uv_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
  if (count == 0) return;  // EAGAIN
  auto* self = static_cast<Connection*>(stream->data);
  if (self->events_ == nullptr) return;
  if (count > 0) {
    const Time when = static_cast<Loop*>(stream->loop->data)->now();
    self->events_->on_read(
        *self, when,
        {reinterpret_cast<const std::uint8_t*>(buffer->base), static_cast<std::size_t>(count)});
    return;
  }
  uv_read_stop(stream);
  const CloseKind kind = kind_of(count);
  self->events_->on_closed(*self, kind,
                           kind == CloseKind::kError ? uv_strerror(static_cast<int>(count)) : "");
}

void Connection::on_uv_written(uv_write_t* request, int status) {
  auto* waiting = static_cast<Waiting*>(request->data);
  Connection* self = waiting->connection;
  delete waiting;
  --self->writes_waiting_;
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
