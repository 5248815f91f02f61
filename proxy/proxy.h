#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "proxy/address.h"
#include "proxy/allow_list.h"
#include "proxy/listener.h"
#include "proxy/loop.h"
#include "proxy/resolver.h"
#include "proxy/session.h"
#include "proxy/sink_server.h"
#include "proxy/tap.h"
#include "proxy/timer.h"
#include "proxy/tls_options.h"
#include "proxy/tls_service.h"

namespace smtpscope {

struct ProxyOptions {
  std::vector<Endpoint> listen;      // kTcp only
  std::vector<Endpoint> listen_tls;  // idem, where clients speak TLS from their first octet
  Endpoint upstream;
  TlsOptions tls;
  AllowList allow;
  Duration grace = std::chrono::seconds(5);
  /// Per address; a host that drops packets would otherwise keep the client for the kernel's two
  /// minutes, longer than many clients wait for the greeting.
  Duration connect_timeout = std::chrono::seconds(10);
};

/// What a run has seen.
struct ProxyTotals {
  std::uint64_t sessions = 0;
  std::uint64_t turned_away = 0;          // clients outside --allow
  std::uint64_t unreachable = 0;          // sessions whose server could not be reached
  std::array<std::uint64_t, 2> octets{};  // read, by side
  std::uint64_t discarded = 0;            // messages, by the built-in sink
};

/// Told what the operator should know while the proxy runs, a sentence each.
class ProxyNotices {
 public:
  virtual ~ProxyNotices() = default;
  virtual void notice(std::string_view text) = 0;
};

/// The relay as a service: listens, admits clients, keeps their sessions and ends them. The run
/// is over when stop() was called and the last session has gone; the loop then runs dry.
class Proxy : private ListenerEvents, private SessionHost {
 public:
  /// All references must outlive the proxy; `tap` may be nullptr.
  Proxy(Loop& loop, ProxyOptions options, Tap* tap, ProxyNotices& notices);
  ~Proxy() override;
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  /// Opens all listeners or, on an Error, none.
  Result<Done> start();
  /// Where it listens, with the ports that were picked.
  std::vector<SocketAddress> addresses() const { return addresses(false); }
  /// Idem, where clients speak TLS from their first octet.
  std::vector<SocketAddress> tls_addresses() const { return addresses(true); }

  /// Accepts no more clients and ends when the sessions have, at the latest after the grace
  /// period.
  void stop();
  /// Ends all sessions now.
  void stop_now();

  std::size_t open_sessions() const { return sessions_.size(); }
  /// Octets of sessions still open are not in it, and what the sink discarded only once the run
  /// is over.
  const ProxyTotals& totals() const { return totals_; }

 private:
  Result<Done> listen(const Endpoint& endpoint, bool tls);
  Result<Done> open_listeners();
  std::vector<SocketAddress> addresses(bool tls) const;
  Result<Done> open_tls();
  Result<Done> check_exposure() const;

  void on_client_waiting(Listener& listener) override;
  void on_activity(Time now) override;
  void on_upstream_unreachable(std::string_view reason) override;
  void on_session_over(Session& session) override;

  void admit(Listener& listener);
  void on_heartbeat();
  void note_stall(Time now);
  void on_flush();
  void on_grace_over();
  void finish_if_idle();

  Loop& loop_;
  ProxyOptions options_;
  Tap* tap_;
  ProxyNotices& notices_;
  std::string upstream_name_;
  std::unique_ptr<Resolver> resolver_;
  std::unique_ptr<SinkServer> sink_;
  std::unique_ptr<TlsService> tls_;
  Upstream upstream_;
  std::vector<ListenerPtr> listeners_;
  std::vector<Listener*> full_;  // with a client that waits for a free descriptor
  std::vector<std::unique_ptr<Session>> sessions_;
  std::size_t most_sessions_ = 0;
  SessionId last_id_ = kWholeRun;
  ProxyTotals totals_;
  TimerPtr heartbeat_;
  Time heartbeat_due_;
  TimerPtr flush_;
  bool flush_pending_ = false;
  TimerPtr grace_;
  bool stopping_ = false;
  bool said_full_ = false;
};

}  // namespace smtpscope
