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
#include "proxy/layer.h"
#include "proxy/relay_observer.h"

namespace smtpscope {

// Events of the relay alone; those of the connections are in layer.h.

/// The moment asked for with RelayHost::set_deadline has come.
struct DeadlinePassed {};

/// The answer to RelayHost::ask_fate: no message waits for its final reply any more.
struct FateSettled {};

/// The program did not run from `since` until now.
struct ProxyWasStalled {
  Time since;
};

/// A second has gone by or so.
struct TimePassed {};

/// The session must end now, whatever its state.
struct StopRequested {
  std::string_view reason;
};

/// What the relay asks of its session beside octets and connections. Called from within
/// Relay::handle; must not call back into the relay.
class RelayHost {
 public:
  virtual ~RelayHost() = default;
  /// Replaces the deadline set before.
  virtual void set_deadline(Time when) = 0;
  /// Asks the observer whether a message that was sent whole has no final reply yet. FateSettled
  /// follows once there is none; it may never come.
  virtual void ask_fate() = 0;
  /// How the connection to a side does; empty where it is none of TCP, or gone.
  virtual std::optional<TcpFigures> figures_of(Side /*side*/) { return std::nullopt; }
  /// Both connections are closed and the last event is recorded. The relay is not to be used any
  /// more.
  virtual void session_ended() = 0;
};

/// Decides what happens to one session: which octets go where, when reading must wait, how the
/// end of one connection is passed on to the other, and what the observer is told. Sans-I/O: events
/// in through handle(), commands out. Octets are handed on before the observer
/// sees them, and nothing is allocated per read. Holds no octets itself. Not thread-safe.
class Relay final : public Inward {
 public:
  /// Client octets held while the server is still being connected to; more than any client sends
  /// unasked before the greeting. Then its reading pauses, so this and one read is the most.
  static constexpr std::size_t kMaxHeld = 64 * 1024;
  /// Writes that waited shorter than this are everyday flow control and are not recorded.
  static constexpr Duration kReportedBlock = std::chrono::milliseconds(100);
  /// How long a side may be silent once the other has gone: the time that RFC 5321 4.5.3.2.6 grants
  /// a server for the reply to a message, and twice what a client may take (4.5.3.2.7).
  static constexpr Duration kAfterlife = std::chrono::minutes(10);
  /// When both sides have been silent for as long, the kernel is asked how their connections do.
  static constexpr std::array kLooks = {Duration(std::chrono::seconds(5)),
                                        Duration(std::chrono::seconds(30)),
                                        Duration(std::chrono::seconds(60))};
  /// So too at an end behind a silence of this length: a client may be less patient.
  static constexpr Duration kLookAtEnd = std::chrono::seconds(1);
  /// How long a client that was turned away may take to close.
  static constexpr Duration kRefusalLinger = std::chrono::seconds(10);

  /// All references must outlive the relay, though it makes no use of them before begin();
  /// `observer` may be nullptr.
  Relay(SessionId session, Outward& port, RelayHost& host, SessionObserver* observer);

  /// The client has connected; the server is being connected to. Once, before all else.
  void begin(Time now, const SessionOpened& opened);

  void handle(Time now, const FromPeer& event) override;
  void handle(Time now, const PeerClosed& event) override;
  void handle(Time now, const ProxyReply& event) override;
  void handle(Time now, const LayerFailed& event) override;
  void handle(Time, const AlarmRang&) override {}  // a layer's
  void handle(Time now, const UpstreamReady& event) override;
  void handle(Time now, const UpstreamUnreachable& event) override;
  void handle(Time now, const WriteDrained& event) override;
  void handle(Time now, const WriteFailed& event) override;
  void handle(Time now, const DeadlinePassed& event);
  void handle(Time now, const FateSettled& event);
  void handle(Time now, const ProxyWasStalled& event);
  void handle(Time now, const TimePassed& event);
  void handle(Time now, const StopRequested& event);

 private:
  enum class Phase : std::uint8_t {
    kConnecting,    // client octets are held
    kRelaying,      // both ways
    kRefusing,      // the client was told 421; waits for it to close
    kAwaitingFate,  // the client is gone, its message perhaps unanswered; listens to the server
    kEnded,
  };

  /// How the end of one connection shall reach the other, once all octets before it have.
  enum class Farewell : std::uint8_t { kNone, kFin, kReset };

  /// One of the two connections.
  struct Leg {
    std::uint64_t waiting = 0;  // octets for it that the kernel has not taken
    Time blocked_since;         // when they began to wait
    Farewell farewell = Farewell::kNone;
    bool truncated = false;   // farewell FIN: as PeerClosed has it
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

  template <typename Body>
  void record(Time now, const Body& body);
  void record_octets(Time now, Side from, std::span<const std::uint8_t> octets, bool by_proxy,
                     bool undelivered, std::string_view scenario = {});
  void record_read(Time now, const FromPeer& read, bool undelivered);

  void look(Time now, Side side);
  void look_at_end(Time now, Side side);
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
  Outward& port_;
  RelayHost& host_;
  SessionObserver* observer_;
  std::array<Leg, 2> legs_;
  Phase phase_ = Phase::kConnecting;
  Time heard_;                    // when octets came last, or the server was connected to
  Side awaited_ = Side::kServer;  // who was given the last octets; only if `spoke_`
  bool spoke_ = false;            // octets have come, of either side
  std::uint8_t looks_ = 0;        // of kLooks, in this silence
};

}  // namespace smtpscope
