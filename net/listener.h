#pragma once

#include <uv.h>

#include "base/result.h"
#include "net/address.h"
#include "net/connection.h"
#include "net/handle_ptr.h"
#include "net/loop.h"
#include "net/timer.h"

namespace smtpscope {

class Listener;
using ListenerPtr = HandlePtr<Listener>;

class ListenerEvents {
 public:
  virtual ~ListenerEvents() = default;
  /// A client waits to be taken. Until accept() is called, no further one is.
  virtual void on_client_waiting(Listener& listener) = 0;
};

/// A listening TCP socket. Owned through ListenerPtr.
class Listener {
 public:
  struct Client {
    ConnectionPtr connection;  // with no delay and keep-alive set
    SocketAddress address;
  };

  /// Bound and listening; port 0 picks a free one. `events` must outlive it.
  /// `transparent`: takes connections to addresses of other hosts (IP_TRANSPARENT, tproxy).
  static Result<ListenerPtr> make(Loop& loop, const SocketAddress& address, ListenerEvents& events,
                                  bool tls = false, bool transparent = false);
  /// One that was opened by whoever started this program (systemd's socket activation). Takes the
  /// descriptor over in any case.
  static Result<ListenerPtr> adopt(Loop& loop, int descriptor, ListenerEvents& events, bool tls);

  /// The client that waits. It may have gone again, and what it said first is still to be read.
  Client accept();
  /// With the port that was picked.
  const SocketAddress& address() const { return address_; }
  /// Clients speak TLS from their first octet.
  bool tls() const { return tls_; }

  /// See HandleCloser.
  void release();

 private:
  Listener(Loop& loop, int descriptor, ListenerEvents& events);
  ~Listener() = default;
  void note_address();
  void on_readable();
  void start();
  void stop();

  Loop& loop_;
  ListenerEvents* events_;
  const int descriptor_;
  uv_poll_t handle_{};
  int waiting_ = -1;  // descriptor of the client that waits
  SocketAddress waiting_address_;
  bool polling_ = false;
  TimerPtr retry_;
  SocketAddress address_;
  bool tls_ = false;
};

}  // namespace smtpscope
