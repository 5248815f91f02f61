#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/side.h"
#include "base/time.h"
#include "capture/wire_event.h"
#include "proxy/tap.h"

namespace smtpscope {

// Events: what happened. Views are valid during the call.

/// A read returned octets.
struct FromPeer {
  Side from = Side::kClient;
  std::span<const std::uint8_t> octets;
  bool tls = false;  // they came inside TLS
  /// What the other side gets in their place.
  std::optional<std::span<const std::uint8_t>> instead = {};
};

/// A peer has closed its direction (kFin), or the connection to it is gone (all others).
struct PeerClosed {
  Side side = Side::kClient;
  CloseKind kind = CloseKind::kFin;
  std::string_view reason;  // kError: in words
};

/// smtpscope itself answers the client.
struct ProxyReply {
  std::span<const std::uint8_t> octets;
};

/// TLS with a side could not be agreed on: the session ends.
struct TlsFailed {
  std::string_view reason;
  bool tell_client = false;  // it can be told in SMTP
};

/// The connection to the server stands.
struct UpstreamReady {
  std::string_view server;
  Duration took{};
  std::uint32_t failed_attempts = 0;
  std::optional<Duration> rtt = {};
};

/// No address of the server could be reached.
struct UpstreamUnreachable {
  std::string_view reason;
};

/// All octets that waited for `to` are with the kernel now.
struct WriteDrained {
  Side to = Side::kServer;
};

/// A write to `to` that had been waiting failed; what waited is lost.
struct WriteFailed {
  Side to = Side::kServer;
};

/// The moment asked for with RelayPort::set_deadline has come.
struct DeadlinePassed {};

/// The program did not run from `since` until now.
struct ProxyWasStalled {
  Time since;
};

/// The session must end now, whatever its state.
struct StopRequested {
  std::string_view reason;
};

/// Carries the relay's commands out: over libuv in the program, as a script in the tests. Called
/// from within Relay::handle; must not call back into the relay.
class RelayPort {
 public:
  /// What became of octets that were to be sent.
  struct Sent {
    std::size_t waiting = 0;  // octets the kernel did not take: queued, WriteDrained will follow
    bool failed = false;      // the connection is broken, nothing was queued
  };

  virtual ~RelayPort() = default;
  /// Before UpstreamReady, octets for the server are queued.
  virtual Sent send_to(Side to, std::span<const std::uint8_t> octets) = 0;
  /// Half-close: FIN behind all that was sent.
  virtual void finish(Side to) = 0;
  /// Gives the connection (or the attempt to make one) up, with an RST if `reset`.
  virtual void close(Side side, bool reset) = 0;
  virtual void pause_reading(Side from) = 0;
  virtual void resume_reading(Side from) = 0;
  /// Whether the kernel knows that the connection to a peer which has sent its FIN is broken.
  virtual bool is_broken(Side side) = 0;
  /// Replaces the deadline set before.
  virtual void set_deadline(Time when) = 0;
  /// Both connections are closed and the last event is recorded. The relay is not to be used any
  /// more.
  virtual void session_ended() = 0;
};

/// Decides what happens to one session: which octets go where, when reading must wait, how the
/// end of one connection is passed on to the other, and what the tap is told. Sans-I/O: events in
/// through handle(), commands out through the port. Octets are handed on before the tap sees them,
/// and nothing is allocated per read. Holds no octets itself. Not thread-safe.
class Relay {
 public:
  /// Client octets held while the server is still being connected to; more than any client sends
  /// unasked before the greeting. Then its reading pauses, so this and one read is the most.
  static constexpr std::size_t kMaxHeld = 64 * 1024;
  /// Writes that waited shorter than this are everyday flow control and are not recorded.
  static constexpr Duration kReportedBlock = std::chrono::milliseconds(100);
  /// How long the server may be silent once the client has gone: the time RFC 5321 4.5.3.2.6
  /// grants it for the reply to a message.
  static constexpr Duration kAfterlife = std::chrono::minutes(10);
  /// How long a client that was turned away may take to close.
  static constexpr Duration kRefusalLinger = std::chrono::seconds(10);

  /// `port` and `tap` must outlive the relay; `tap` may be nullptr.
  Relay(SessionId session, RelayPort& port, SessionTap* tap);

  /// The client has connected; the server is being connected to. Once, before all else.
  void begin(Time now, const SessionOpened& opened);

  void handle(Time now, const FromPeer& event);
  void handle(Time now, const PeerClosed& event);
  void handle(Time now, const ProxyReply& event);
  void handle(Time now, const TlsFailed& event);
  void handle(Time now, const UpstreamReady& event);
  void handle(Time now, const UpstreamUnreachable& event);
  void handle(Time now, const WriteDrained& event);
  void handle(Time now, const WriteFailed& event);
  void handle(Time now, const DeadlinePassed& event);
  void handle(Time now, const ProxyWasStalled& event);
  void handle(Time now, const StopRequested& event);

 private:
  enum class Phase : std::uint8_t {
    kConnecting,    // client octets are held
    kRelaying,      // both ways
    kRefusing,      // the client was told 421; waits for it to close
    kAwaitingFate,  // the client is gone, its message unanswered; listens to the server
    kEnded,
  };

  /// How the end of one connection shall reach the other, once all octets before it have.
  enum class Farewell : std::uint8_t { kNone, kFin, kReset };

  /// One of the two connections.
  struct Leg {
    std::uint64_t waiting = 0;  // octets for it that the kernel has not taken
    Time blocked_since;         // when they began to wait
    Farewell farewell = Farewell::kNone;
    bool paused = false;      // it is not read from
    bool input_over = false;  // its FIN was seen
    bool deaf = false;        // a write failed: nothing reaches it any more
    bool finished = false;    // our FIN went out
    bool closed = false;      // the connection is gone or given up

    bool takes_octets() const { return !closed && !deaf && farewell == Farewell::kNone; }
    /// Nothing more will happen on it.
    bool done() const { return closed || (input_over && waiting == 0); }
  };

  Leg& leg(Side side) { return legs_[index(side)]; }
  bool fate_open() const { return tap_ != nullptr && tap_->fate_open(); }

  template <typename Body>
  void record(Time now, const Body& body);
  void record_octets(Time now, Side from, std::span<const std::uint8_t> octets, bool by_proxy,
                     bool undelivered);
  void record_read(Time now, const FromPeer& read, bool undelivered);

  void pause(Side from);
  void resume(Side from);
  void stop_waiting(Time now, Side to);
  bool notice_gone(Time now, Side side);
  void lose(Time now, Side side);
  void pass_on_loss(Time now, Side side);
  void advance(Time now);
  void close(Side side, bool reset);
  void end(Time now);

  SessionId session_;
  RelayPort& port_;
  SessionTap* tap_;
  std::array<Leg, 2> legs_;
  Phase phase_ = Phase::kConnecting;
};

}  // namespace smtpscope
