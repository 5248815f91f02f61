#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "net/allow_list.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/timer.h"
#include "proxy/heartbeat.h"
#include "proxy/identity/reception.h"
#include "proxy/local_server.h"
#include "proxy/proxy_process.h"
#include "proxy/relay_observer.h"
#include "proxy/session.h"
#include "proxy/stop_signals.h"
#include "proxy/tls/tls_options.h"
#include "proxy/tls/tls_service.h"
#include "proxy/upstream.h"

namespace smtpscope {

/// How the server is told who the client is, since it sees smtpscope's own address.
enum class Announce : std::uint8_t { kNothing, kProxyV1, kProxyV2, kXclient };

/// How clients come that were not told of this proxy: by which kind of rule of the firewall.
enum class Transparent : std::uint8_t { kNo, kRedirect, kTproxy };

/// A listening socket that whoever started this program has opened.
struct InheritedListener {
  int descriptor = -1;
  bool tls = false;
  std::string name = {};  // that it was given for
};

struct ProxyOptions {
  std::string name;                  // of the route that it is; "" for the only one
  std::vector<Endpoint> listen;      // kTcp only
  std::vector<Endpoint> listen_tls;  // likewise, where clients speak TLS from their first octet
  std::vector<InheritedListener> inherited;
  Endpoint upstream;  // unless transparent: then it is where the client wanted to go
  /// Makes the server where `upstream` is one inside this program; empty: the sink.
  std::function<Result<std::unique_ptr<LocalServer>>(Loop&)> local_server;
  Transparent transparent = Transparent::kNo;
  bool spoof_client = false;  // the server sees the client's address
  // Who is more is told 421; 0: no limit but that of open files.
  std::size_t most_sessions = 0;
  std::size_t most_sessions_per_client = 0;  // by address
  /// Chooses another server for a session; empty: always `upstream`. Must not name one
  /// inside this program.
  Route route;
  TlsOptions tls;
  AllowList allow;
  Announce announce = Announce::kNothing;
  /// Peers that tell by a header of the PROXY protocol for whom they connect, and have to.
  AllowList announced_by;
  Duration grace = std::chrono::seconds(5);
  /// Per address; a host that drops packets would otherwise keep the client for the kernel's two
  /// minutes, longer than many clients wait for the greeting.
  Duration connect_timeout = std::chrono::seconds(10);
  /// Gives a session layers that watch it, or change what its sides are given, from the sockets
  /// inwards; empty, or none for a session. Called when the session begins, on the loop's thread.
  /// What it is given outlives the layers.
  using Layers = std::vector<std::unique_ptr<Layer>>;
  std::function<Layers(SessionId, const Arrival&, Time now, SessionObserver*)> experiment;
};

/// What a run has seen.
struct ProxyTotals {
  std::uint64_t sessions = 0;
  std::uint64_t turned_away = 0;          // clients outside --allow, or without a PROXY header
  std::uint64_t unreachable = 0;          // sessions whose server could not be reached
  std::uint64_t refused = 0;              // sessions, for a limit or since they would come back
  std::array<std::uint64_t, 2> octets{};  // read, by side
  std::uint64_t discarded = 0;            // messages, by the built-in sink
};

/// Told what the operator should know while the proxy runs, a sentence each. Trouble with files is
/// told on other threads than the loop's.
class ProxyNotices {
 public:
  virtual ~ProxyNotices() = default;
  virtual void notice(std::string_view text) = 0;
  /// That something does not work as it should.
  virtual void warn(std::string_view text) { notice(text); }
};

/// The relay as a service: listens, admits clients, keeps their sessions and ends them. The run
/// is over when stop() was called and the last session has gone; the loop then runs dry.
class Proxy : public Stoppable,
              private ListenerEvents,
              private ReceptionHost,
              private RoomSeeker,
              private SessionHost {
 public:
  /// The only one of its process. All references must outlive the proxy; `observer` may be nullptr.
  Proxy(Loop& loop, ProxyOptions options, RelayObserver* observer, ProxyNotices& notices);
  /// One of several. `process` and `notices` must outlive it.
  Proxy(ProxyProcess& process, ProxyOptions options, ProxyNotices& notices);
  ~Proxy() override;
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  /// What start() would refuse, as far as that shows without a socket opened or a file written.
  static Result<Done> check(ProxyOptions options);

  /// Opens all listeners or, on an Error, none.
  Result<Done> start();
  /// That the server is no listener of the process, as far as those are open.
  Result<Done> check_no_loop() const;
  /// Where it listens, with the ports that were picked.
  std::vector<SocketAddress> addresses() const { return addresses(false); }
  /// Likewise, where clients speak TLS from their first octet.
  std::vector<SocketAddress> tls_addresses() const { return addresses(true); }

  void stop() override;
  void stop_now() override;

  /// Reads the certificates again, for handshakes from now on, and begins a key log anew that was
  /// renamed; tells how that went. Nothing where TLS is not ended.
  void reload_certificates();

  /// It accepts no more clients.
  bool is_stopping() const { return stopping_; }
  std::size_t open_sessions() const override { return sessions_.size(); }
  /// How long stop() leaves them.
  Duration grace() const override { return options_.grace; }
  const ProxyOptions& options() const { return options_; }
  /// Octets of sessions still open are not in it, and what the sink discarded only once the run
  /// is over.
  const ProxyTotals& totals() const { return totals_; }

 private:
  Proxy(std::unique_ptr<ProxyProcess> alone, ProxyOptions options, ProxyNotices& notices);
  Result<Done> listen(const Endpoint& endpoint, bool tls);
  Result<Done> open_listeners();
  std::vector<SocketAddress> addresses(bool tls) const;
  Result<Done> open_tls();
  Result<std::unique_ptr<LocalServer>> make_local_server();

  void on_client_waiting(Listener& listener) override;
  void on_room(Listener& listener) override { admit(listener); }
  void on_announced(Reception& reception) override;
  void on_not_announced(Reception& reception) override;
  void on_activity(Time now) override;
  void on_upstream_unreachable(std::string_view reason) override;
  void on_session_over(Session& session) override;

  void admit(Listener& listener);
  bool is_redirected_here(const SocketAddress& peer, const Listener& listener) const;
  void tell_full(std::string_view clients);
  void receive(ConnectionPtr client, const Arrival& arrival, Room room);
  std::unique_ptr<Reception> take_out(Reception& reception);
  struct Refusal {
    std::string reason;
    std::string reply;
  };
  std::optional<Refusal> why_refused(const Arrival& arrival, Room room) const;
  void tell_refusal(const Arrival& arrival, const Refusal& refusal);
  UpstreamPtr upstream_for(const Arrival& arrival);
  void begin_session(ConnectionPtr client, const Arrival& arrival, Room room,
                     const std::string& announced_by, std::span<const std::uint8_t> early);
  LayerStack make_layers(SessionId id, const Arrival& arrival, const Upstream& upstream,
                         SessionObserver* observer);
  void on_heartbeat();
  void note_stall(std::optional<Time> since);
  void on_grace_over();
  void finish_if_idle();

  std::unique_ptr<ProxyProcess> alone_;  // if nobody shares it
  ProxyProcess& process_;
  Loop& loop_;
  ProxyOptions options_;
  RelayObserver* const observer_;
  ProxyNotices& notices_;
  Upstreams upstreams_;
  UpstreamPtr upstream_;  // of sessions without a route
  std::unique_ptr<LocalServer> local_server_;
  std::unique_ptr<TlsService> tls_;
  std::vector<ListenerPtr> listeners_;
  std::vector<std::unique_ptr<Reception>> receptions_;
  std::vector<std::unique_ptr<Session>> sessions_;
  ProxyTotals totals_;
  TimerPtr heartbeat_;
  Heartbeat heart_;
  TimerPtr grace_;
  bool begun_ = false;
  bool stopping_ = false;
  std::size_t counted_ = 0;  // sessions, those that were refused not among them
  std::unordered_map<std::string, std::size_t> by_client_;  // the same, by address
  bool said_refused_ = false;
};

}  // namespace smtpscope
