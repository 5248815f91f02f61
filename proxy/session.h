#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/connection.h"
#include "net/dialer.h"
#include "net/loop.h"
#include "net/timer.h"
#include "proxy/layer.h"
#include "proxy/proxy_process.h"
#include "proxy/relay.h"
#include "proxy/relay_observer.h"
#include "proxy/upstream.h"

namespace smtpscope {

class Session;

/// Keeps sessions; told by them.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  /// Something happens on a session, before it does anything about it.
  virtual void on_activity(Time now) = 0;
  virtual void on_upstream_unreachable(std::string_view reason) = 0;
  /// To be destroyed, also from within this call.
  virtual void on_session_over(Session& session) = 0;
};

/// One client's connection and the one made to the server for it, with all that stands between
/// them: the sockets' end of its stack of layers, and the relay's host. Owns both connections, the
/// layers, the observer's part for this session, and nothing that grows.
class Session : private Outward,
                private RelayHost,
                private ConnectionEvents,
                private DialerEvents,
                private FateListener {
 public:
  /// `host` must outlive the session. What the layers tell the observer goes to `observer`, too.
  Session(SessionId id, Loop& loop, UpstreamPtr upstream, ConnectionPtr client, LayerStack layers,
          std::unique_ptr<SessionObserver> observer, SessionHost& host);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// What is recorded of how it began; see SessionOpened.
  struct Opening {
    std::string_view client, listener, route, announced_by;
  };
  /// Records the opening and begins to connect and to read. May end the session.
  /// `early`: what was read of the client before the session began.
  void start(const Opening& opening, std::span<const std::uint8_t> early);
  /// Records the opening, and ends the session without a server. `reason` is for the record,
  /// `refusal` a reply for the client; "": it cannot be told. May end the session at once.
  void refuse(const Opening& opening, std::string_view reason, std::string_view refusal);
  /// The proxy did not run from `since` until now.
  void note_stall(Time since);
  /// A second has gone by or so.
  void note_time(Time now) { relay_.handle(now, TimePassed{}); }
  /// Ends the session now.
  void stop(std::string_view reason);
  /// The server is to see this address as the client (--spoof-client). Before start().
  void speak_from(const SocketAddress& client) { speaks_from_ = client; }

  SessionId id() const { return id_; }
  /// Octets that were read, by side.
  const std::array<std::uint64_t, 2>& octets() const { return octets_; }

  std::size_t slot = 0;       // the host's place for it
  std::string counted_for;    // the host's: the client that it counts for, "" if for none
  Room room = Room::kInside;  // likewise: what it takes

 private:
  /// What exists only until the server has answered.
  struct Connecting {
    Dialer dialer;
    std::vector<std::uint8_t> held;  // from the client
  };

  Sent send_to(Side to, std::span<const std::uint8_t> octets) override;
  void finish(Side to, bool truncated) override;
  void close(Side side, bool reset) override;
  void pause_reading(Side from) override;
  void resume_reading(Side from) override;
  bool is_broken(Side side) override;
  bool holds(Side) override { return false; }
  std::string own_name() override;
  void set_alarm(Time when) override;

  void set_deadline(Time when) override;
  void ask_fate() override { observer_->ask_fate(*this); }
  std::optional<TcpFigures> figures_of(Side side) override;
  void session_ended() override { over_ = true; }

  void on_read(Connection& connection, Time when, std::span<const std::uint8_t> octets) override;
  void on_closed(Connection& connection, CloseKind kind, std::string_view reason) override;
  void on_drained(Connection& connection) override;
  void on_write_failed(Connection& connection) override;

  void on_connected(ConnectionPtr connection, std::string_view server, Duration took,
                    std::uint32_t failed_attempts) override;
  void on_unreachable(std::string_view reason) override;

  void on_fate_settled() override;

  void open(Time now, const Opening& opening);
  void on_deadline();
  void on_alarm();
  void depart(ConnectionPtr connection);
  void on_departure();

  Side side_of(const Connection& connection) const {
    return &connection == connections_[index(Side::kClient)].get() ? Side::kClient : Side::kServer;
  }
  ConnectionPtr& connection(Side side) { return connections_[index(side)]; }
  Time stir();
  template <typename Event>
  void tell(Time now, const Event& event);
  template <typename Event>
  void tell_relay(Time now, const Event& event);
  void leave_if_over() {
    if (over_ && !departing_) host_.on_session_over(*this);
  }

  SessionId id_;
  Loop& loop_;
  const UpstreamPtr upstream_;
  SessionHost& host_;
  std::unique_ptr<SessionObserver> observer_;
  const LayerStack layers_;
  Relay relay_;
  Inward& inner_;  // next to the sockets: the outermost layer, or the relay
  std::array<ConnectionPtr, 2> connections_;
  /// A connection whose RST waits until the peer's kernel has what was sent before.
  struct Departing {
    ConnectionPtr connection;
    TimerPtr timer;
    Time until;
    Duration pause{};
  };
  std::array<std::uint64_t, 2> octets_{};
  std::unique_ptr<Connecting> connecting_;
  std::unique_ptr<Departing> departing_;
  TimerPtr deadline_;
  TimerPtr alarm_;
  bool over_ = false;
  std::optional<SocketAddress> speaks_from_;
};

}  // namespace smtpscope
