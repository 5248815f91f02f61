#pragma once

#include <uv.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/close_kind.h"
#include "base/tcp_figures.h"
#include "base/time.h"
#include "net/address.h"
#include "net/handle_ptr.h"
#include "net/hangup_watch.h"
#include "net/loop.h"

namespace smtpscope {

class Connection;  // NOLINT(cppcoreguidelines-virtual-class-destructor): libuv lets go of it
using ConnectionPtr = HandlePtr<Connection>;

/// What happens on a connection. The one told may give the connection up from within.
class ConnectionEvents {
 public:
  virtual ~ConnectionEvents() = default;
  /// A read returned; `octets` are gone after the call. `when` was taken before anything else.
  virtual void on_read(Connection& connection, Time when, std::span<const std::uint8_t> octets) = 0;
  /// The peer has closed its direction (kFin), or the connection is broken. Reading has stopped. A
  /// peer that has closed its direction may break the connection later: then this is called again.
  virtual void on_closed(Connection& connection, CloseKind kind, std::string_view reason) = 0;
  /// All that waited was written.
  virtual void on_drained(Connection& connection) = 0;
  /// What waited could not be written.
  virtual void on_write_failed(Connection& connection) = 0;
};

/// One stream connection, TCP or Unix. Owned through ConnectionPtr; giving it up closes it. Holds
/// no buffer unless the kernel has refused octets.
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): only ConnectionPtr may end it.
class Connection final : private HangupEvents {
 public:
  enum class Transport : std::uint8_t { kTcp, kUnix };

  struct Sent {
    std::size_t waiting = 0;  // octets queued because the kernel did not take them
    bool failed = false;      // broken; nothing was queued
  };

  static ConnectionPtr make(Loop& loop, Transport transport);

  /// nullptr: events are dropped.
  void set_events(ConnectionEvents* events) { events_ = events; }

  void start_reading();
  void stop_reading();
  /// Hands octets to the kernel at once; copies and queues what it does not take.
  Sent send(std::span<const std::uint8_t> octets);
  /// FIN. Nothing may be waiting, and nothing may be sent after it.
  void finish();
  /// Giving the connection up will send an RST (where the transport knows it).
  void reset_on_release() { reset_ = true; }
  /// The kernel knows that nothing can be sent any more. Meaningful before finish() only.
  bool is_broken() const;
  /// Octets that were sent and that the peer's kernel has not confirmed: an RST would overtake
  /// them.
  std::size_t unconfirmed() const;
  /// Takes note of a fault that the socket has reported and so forgotten: the end of reading, which
  /// looks like a FIN then, is told as what it is.
  void note_fault(int fault);
  /// No delay by Nagle's algorithm (RFC 896): the peers' own segmentation is passed on.
  void set_no_delay();
  /// A peer that has vanished is found out after the kernel's time for it (RFC 1122 4.2.3.6: no
  /// less than two hours unless the administrator chooses otherwise).
  void set_keep_alive();

  /// The smoothed round trip to the peer as the kernel knows it (TCP_INFO): that of the handshake
  /// while nothing else was said. Empty where the transport has none.
  std::optional<Duration> round_trip() const;
  /// Whether the peer's kernel confirms what it is sent. Empty likewise.
  std::optional<TcpFigures> figures() const;

  /// Where the client wanted to go before a rule of the firewall redirected it here
  /// (SO_ORIGINAL_DST). Empty where there was none.
  std::optional<SocketAddress> original_destination() const;
  /// TCP only; empty when the connection is already gone.
  std::optional<SocketAddress> own_address() const;

  uv_stream_t* stream() { return &handle_.stream; }
  uv_tcp_t* tcp() { return &handle_.tcp; }
  uv_pipe_t* pipe() { return &handle_.pipe; }

  /// See HandleCloser.
  void release();

 private:
  struct Waiting;

  Connection(Loop& loop, Transport transport);
  ~Connection() = default;
  int descriptor() const;
  void on_hangup() override;
  void end_reading(int fault);
  static void on_allocate(uv_handle_t* handle, std::size_t, uv_buf_t* buffer);
  static void on_uv_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer);
  static void on_uv_written(uv_write_t* request, int status);

  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } handle_;
  ConnectionEvents* events_ = nullptr;
  std::uint32_t writes_waiting_ = 0;
  int fault_ = 0;  // of libuv, the first that a write or the connecting met
  bool reset_ = false;
  bool filled_buffer_ = false;  // by the last read: libuv will want to read more in this turn
  bool watched_ = false;        // for a hang-up behind the peer's FIN
};

}  // namespace smtpscope
