#pragma once

#include <uv.h>

#include <string>

#include "base/result.h"
#include "proxy/address.h"
#include "proxy/connection.h"
#include "proxy/handle_ptr.h"
#include "proxy/loop.h"

namespace smtpscope {

class Listener;
using ListenerPtr = HandlePtr<Listener>;

class ListenerEvents {
 public:
  virtual ~ListenerEvents() = default;
  /// A client waits to be accepted. Until accept() is called, libuv takes no further one.
  virtual void on_client_waiting(Listener& listener) = 0;
};

/// A listening TCP socket. Owned through ListenerPtr.
class Listener {
 public:
  /// Bound and listening; port 0 picks a free one. `events` must outlive it.
  static Result<ListenerPtr> make(Loop& loop, const SocketAddress& address, ListenerEvents& events,
                                  bool tls = false);

  /// The client that waits, with no delay set; nullptr when it has gone.
  ConnectionPtr accept();
  /// With the port that was picked.
  const SocketAddress& address() const { return address_; }
  /// Clients speak TLS from their first octet.
  bool tls() const { return tls_; }

  /// See HandleCloser.
  void release();

 private:
  Listener(Loop& loop, ListenerEvents& events);
  ~Listener() = default;

  Loop& loop_;
  ListenerEvents* events_;
  uv_tcp_t handle_;
  SocketAddress address_;
  bool tls_ = false;
};

}  // namespace smtpscope
