#include "proxy/listener.h"

#include <fmt/format.h>
#include <netinet/in.h>

namespace smtpscope {
namespace {

/// Connections the kernel completes ahead of us; it caps the figure at net.core.somaxconn.
constexpr int kBacklog = 1024;

}  // namespace

Listener::Listener(Loop& loop, ListenerEvents& events) : loop_(loop), events_(&events) {
  uv_tcp_init(loop.uv(), &handle_);
  handle_.data = this;
}

Result<ListenerPtr> Listener::make(Loop& loop, const SocketAddress& address, ListenerEvents& events,
                                   bool tls) {
  ListenerPtr listener(new Listener(loop, events));
  listener->address_ = address;
  listener->tls_ = tls;
  int fault = uv_tcp_bind(&listener->handle_, address.get(), 0);
  if (fault == 0) {
    // Accepted sockets inherit it: one system call less per session.
    uv_tcp_nodelay(&listener->handle_, 1);
    fault = uv_listen(reinterpret_cast<uv_stream_t*>(&listener->handle_), kBacklog,
                      [](uv_stream_t* stream, int status) {
                        auto* self = static_cast<Listener*>(stream->data);
                        if (status == 0 && self->events_ != nullptr) {
                          self->events_->on_client_waiting(*self);
                        }
                      });
  }
  if (fault != 0) {
    return Error{fmt::format("cannot listen on {}: {}", address.text(), uv_strerror(fault))};
  }
  sockaddr_storage bound;
  int length = sizeof(bound);
  uv_tcp_getsockname(&listener->handle_, reinterpret_cast<sockaddr*>(&bound), &length);
  listener->address_ = SocketAddress(reinterpret_cast<const sockaddr*>(&bound));
  return listener;
}

ConnectionPtr Listener::accept() {
  ConnectionPtr connection = Connection::make(loop_, Connection::Transport::kTcp);
  if (uv_accept(reinterpret_cast<uv_stream_t*>(&handle_), connection->stream()) != 0)
    return nullptr;
  return connection;
}

void Listener::release() {
  events_ = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_),
           [](uv_handle_t* handle) { delete static_cast<Listener*>(handle->data); });
}

}  // namespace smtpscope
