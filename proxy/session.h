#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "proxy/address.h"
#include "proxy/connection.h"
#include "proxy/dialer.h"
#include "proxy/interception.h"
#include "proxy/loop.h"
#include "proxy/relay.h"
#include "proxy/resolver.h"
#include "proxy/tap.h"
#include "proxy/timer.h"

namespace smtpscope {

class Session;

/// The server that sessions connect to.
struct Upstream {
  Endpoint endpoint;           // where to connect; never kSink
  std::string_view name;       // what the user asked for
  Duration connect_timeout{};  // per address
  Resolver* resolver = nullptr;
  TlsService* tls = nullptr;  // nullptr: TLS is passed through
};

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

/// One client's connection and the one made to the server for it: carries out over libuv what its
/// Relay decides. Owns both connections, the tap's part for this session, and nothing that grows.
class Session : private RelayPort, private ConnectionEvents, private DialerEvents {
 public:
  /// `upstream` and `host` must outlive the session. `client_tls`: the client speaks TLS from its
  /// first octet.
  Session(SessionId id, Loop& loop, const Upstream& upstream, ConnectionPtr client, bool client_tls,
          std::unique_ptr<SessionTap> tap, SessionHost& host);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Records the opening and begins to connect and to read. May end the session.
  void start(std::string_view client, std::string_view listener);
  /// The proxy did not run from `since` until now.
  void note_stall(Time since);
  /// Ends the session now.
  void stop(std::string_view reason);

  SessionId id() const { return id_; }
  /// Octets that were read, by side.
  const std::array<std::uint64_t, 2>& octets() const { return octets_; }

  std::size_t slot = 0;  // the host's place for it

 private:
  /// What exists only until the server has answered.
  struct Connecting {
    Dialer dialer;
    std::vector<std::uint8_t> held;  // from the client
  };

  Sent send_to(Side to, std::span<const std::uint8_t> octets) override;
  void finish(Side to) override;
  void close(Side side, bool reset) override;
  void pause_reading(Side from) override;
  void resume_reading(Side from) override;
  bool is_broken(Side side) override;
  void set_deadline(Time when) override;
  void session_ended() override { over_ = true; }

  void on_read(Connection& connection, Time when, std::span<const std::uint8_t> octets) override;
  void on_closed(Connection& connection, CloseKind kind, std::string_view reason) override;
  void on_drained(Connection& connection) override;
  void on_write_failed(Connection& connection) override;

  void on_connected(ConnectionPtr connection, std::string_view server, Duration took,
                    std::uint32_t failed_attempts) override;
  void on_unreachable(std::string_view reason) override;

  void on_deadline();

  Side side_of(const Connection& connection) const {
    return &connection == connections_[index(Side::kClient)].get() ? Side::kClient : Side::kServer;
  }
  ConnectionPtr& connection(Side side) { return connections_[index(side)]; }
  template <typename Event>
  void tell_relay(Time now, const Event& event);
  void leave_if_over() {
    if (over_) host_.on_session_over(*this);
  }
  RelayPort& port();
  std::unique_ptr<Interception> make_interception(bool client_tls);

  SessionId id_;
  Loop& loop_;
  const Upstream& upstream_;
  SessionHost& host_;
  std::unique_ptr<SessionTap> tap_;
  std::unique_ptr<Interception> tls_;  // nullptr: octets go to the relay as they come
  Relay relay_;
  std::array<ConnectionPtr, 2> connections_;
  std::array<std::uint64_t, 2> octets_{};
  std::unique_ptr<Connecting> connecting_;
  TimerPtr deadline_;
  bool over_ = false;
};

}  // namespace smtpscope
