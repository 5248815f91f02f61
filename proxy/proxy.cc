#include "proxy/proxy.h"

#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "proxy/descriptor_limit.h"

namespace smtpscope {
namespace {

/// While sessions are open the loop proves once a second that it runs.
constexpr Duration kHeartbeat = std::chrono::seconds(1);
/// Lateness that is told: a busy machine is late by milliseconds, a suspended one by more.
constexpr Duration kStall = std::chrono::milliseconds(500);
/// How long events may gather before the tap hands them on.
constexpr Duration kFlushDelay = std::chrono::milliseconds(100);
/// Client, server, and with the built-in sink its end. (An attempt that failed is closed before the
/// next one is made.)
constexpr std::size_t kDescriptorsPerSession = 2;
constexpr std::size_t kDescriptorsPerSinkSession = 3;
/// Kept free for name lookups (four threads, a few files and sockets each) and for the operator's
/// capture file.
constexpr std::size_t kDescriptorsKept = 16;

/// All addresses a host to listen on stands for. A port alone is the loopback, both families: a
/// client told "localhost" may try either first.
Result<std::vector<SocketAddress>> addresses_of(const Endpoint& endpoint) {
  std::vector<SocketAddress> addresses;
  const std::vector<std::string> hosts = endpoint.host.empty()
                                             ? std::vector<std::string>{"127.0.0.1", "::1"}
                                             : std::vector<std::string>{endpoint.host};
  for (const std::string& host : hosts) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int fault = getaddrinfo(host.c_str(), nullptr, &hints, &found); fault != 0) {
      return Error{fmt::format("cannot listen on {}: {}", endpoint.text(), gai_strerror(fault))};
    }
    for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
      if (each->ai_family != AF_INET && each->ai_family != AF_INET6) continue;
      addresses.emplace_back(each->ai_addr).set_port(endpoint.port);
    }
    freeaddrinfo(found);
  }
  return addresses;
}

}  // namespace

Proxy::Proxy(Loop& loop, ProxyOptions options, Tap* tap, ProxyNotices& notices)
    : loop_(loop),
      options_(std::move(options)),
      tap_(tap),
      notices_(notices),
      upstream_name_(options_.upstream.text()) {
  upstream_ =
      Upstream{options_.upstream, upstream_name_, options_.connect_timeout, nullptr, nullptr};
}

Proxy::~Proxy() = default;

Result<Done> Proxy::start() {
  raise_descriptor_limit();
  if (auto done = open_tls(); !done) return done;
  if (auto done = open_listeners(); !done) {
    listeners_.clear();
    return done;
  }
  if (upstream_.endpoint.kind == Endpoint::Kind::kSink) {
    auto sink = SinkServer::make(loop_);
    if (!sink) {
      listeners_.clear();
      return sink.error();
    }
    sink_ = std::move(sink.value());
    resolver_ = std::make_unique<Resolver>(loop_, std::vector{sink_->address()});
    upstream_.endpoint = parse_upstream(sink_->address().text()).value();
  } else if (upstream_.endpoint.kind == Endpoint::Kind::kTcp) {
    resolver_ = std::make_unique<Resolver>(loop_, upstream_.endpoint.host, upstream_.endpoint.port);
  }
  upstream_.resolver = resolver_.get();
  heartbeat_ = Timer::calling<&Proxy::on_heartbeat>(loop_, this);
  flush_ = Timer::calling<&Proxy::on_flush>(loop_, this);
  const std::size_t free = free_descriptors();
  const std::size_t per_session = sink_ ? kDescriptorsPerSinkSession : kDescriptorsPerSession;
  most_sessions_ = std::max<std::size_t>(
      1, free > kDescriptorsKept ? (free - kDescriptorsKept) / per_session : 0);
  return Done{};
}

Result<Done> Proxy::open_tls() {
  if (options_.tls.mode == TlsMode::kPass) return Done{};
  // The built-in sink speaks no TLS.
  if (options_.upstream.kind == Endpoint::Kind::kSink) options_.tls.upstream = UpstreamTls::kNone;
  const bool has_host = options_.upstream.kind == Endpoint::Kind::kTcp;
  auto service = TlsService::make(options_.tls, has_host ? options_.upstream.host : std::string());
  if (!service) return service.error();
  tls_ = std::move(service.value());
  upstream_.tls = tls_.get();
  for (const std::string& text : tls_->notices()) notices_.notice(text);
  return Done{};
}

Result<Done> Proxy::open_listeners() {
  for (const Endpoint& endpoint : options_.listen) {
    if (auto done = listen(endpoint, false); !done) return done;
  }
  for (const Endpoint& endpoint : options_.listen_tls) {
    if (auto done = listen(endpoint, true); !done) return done;
  }
  return check_exposure();
}

Result<Done> Proxy::listen(const Endpoint& endpoint, bool tls) {
  auto addresses = addresses_of(endpoint);
  if (!addresses) return addresses.error();
  std::uint16_t port = endpoint.port;
  bool any = false;
  for (SocketAddress address : addresses.value()) {
    address.set_port(port);
    auto listener = Listener::make(loop_, address, *this, tls);
    if (!listener) {
      // Of the two loopbacks one is enough: IPv6 may be switched off.
      if (any && endpoint.host.empty()) continue;
      return listener.error();
    }
    any = true;
    port = listener.value()->address().port();  // one picked port for all
    listeners_.push_back(std::move(listener.value()));
  }
  return Done{};
}

/// A proxy on the mail host turns every client into a local one.
Result<Done> Proxy::check_exposure() const {
  if (!options_.allow.empty()) return Done{};
  for (const ListenerPtr& listener : listeners_) {
    if (listener->address().is_loopback()) continue;
    return Error{fmt::format(
        "will not listen on {} without --allow NETWORK: the server behind sees every client come "
        "from this host, so what it permits to local clients (relaying, with Postfix's mynetworks) "
        "it would permit to anyone who can reach this port. Name the clients that may connect, "
        "such as --allow 192.0.2.0/24",
        listener->address().text())};
  }
  return Done{};
}

std::vector<SocketAddress> Proxy::addresses(bool tls) const {
  std::vector<SocketAddress> addresses;
  for (const ListenerPtr& listener : listeners_) {
    if (listener->tls() == tls) addresses.push_back(listener->address());
  }
  return addresses;
}

void Proxy::on_client_waiting(Listener& listener) {
  if (sessions_.size() < most_sessions_) {
    admit(listener);
    return;
  }
  // Not accepted, libuv takes no more from this listener; further clients wait in the kernel.
  full_.push_back(&listener);
  if (std::exchange(said_full_, true)) return;
  notices_.notice(fmt::format(
      "{} sessions are open and the limit of open files allows no more; new clients wait until one "
      "ends (raise the limit: ulimit -n, LimitNOFILE=)",
      sessions_.size()));
}

void Proxy::admit(Listener& listener) {
  ConnectionPtr client = listener.accept();
  if (!client) return;
  const auto peer = client->peer_address();
  if (!peer) return;  // already gone
  if (!options_.allow.admits(*peer)) {
    ++totals_.turned_away;
    notices_.notice(fmt::format("turned {} away: not in an --allow network", peer->text()));
    return;
  }
  const auto own = listener.address().is_wildcard() ? client->own_address() : std::nullopt;
  const SessionId id = ++last_id_;
  ++totals_.sessions;
  SessionHost& host = *this;
  auto session = std::make_unique<Session>(id, loop_, upstream_, std::move(client), listener.tls(),
                                           tap_ != nullptr ? tap_->open(id) : nullptr, host);
  Session& started = *session;
  started.slot = sessions_.size();
  sessions_.push_back(std::move(session));
  if (!heartbeat_->is_running()) {
    heartbeat_due_ = loop_.now() + kHeartbeat;
    heartbeat_->start_repeating(kHeartbeat);
  }
  started.start(peer->text(), (own ? *own : listener.address()).text());
}

void Proxy::on_activity(Time now) {
  if (now > heartbeat_due_ + kStall) note_stall(now);
  if (!flush_pending_ && tap_ != nullptr) {
    flush_pending_ = true;
    flush_->start_once(kFlushDelay);
  }
}

void Proxy::on_heartbeat() {
  const Time now = loop_.now();
  if (now > heartbeat_due_ + kStall) note_stall(now);
  heartbeat_due_ = now + kHeartbeat;
}

void Proxy::note_stall(Time now) {
  for (const auto& session : sessions_) session->note_stall(heartbeat_due_);
  heartbeat_due_ = now + kHeartbeat;
}

void Proxy::on_flush() {
  flush_pending_ = false;
  tap_->flush();
}

void Proxy::on_upstream_unreachable(std::string_view reason) {
  ++totals_.unreachable;
  notices_.notice(fmt::format("cannot reach the server, told the client so (421): {}", reason));
}

void Proxy::on_session_over(Session& session) {
  for (std::size_t side = 0; side < totals_.octets.size(); ++side) {
    totals_.octets[side] += session.octets()[side];
  }
  const std::size_t slot = session.slot;
  assert(sessions_[slot].get() == &session);
  std::swap(sessions_[slot], sessions_.back());
  sessions_[slot]->slot = slot;
  sessions_.pop_back();
  if (sessions_.empty()) heartbeat_->stop();
  if (stopping_) {
    finish_if_idle();
  } else if (!full_.empty()) {
    Listener* listener = full_.back();
    full_.pop_back();
    admit(*listener);
  }
}

void Proxy::stop() {
  if (stopping_) return;
  stopping_ = true;
  full_.clear();
  listeners_.clear();
  grace_ = Timer::calling<&Proxy::on_grace_over>(loop_, this);
  grace_->start_once(options_.grace);
  finish_if_idle();
}

void Proxy::stop_now() {
  stop();
  // A session that ends takes itself off the list.
  while (!sessions_.empty()) sessions_.back()->stop("smtpscope was stopped");
}

void Proxy::on_grace_over() { stop_now(); }

void Proxy::finish_if_idle() {
  if (!sessions_.empty()) return;
  grace_.reset();
  heartbeat_.reset();
  flush_.reset();
  resolver_.reset();
  if (sink_) {
    totals_.discarded = sink_->messages();
    sink_.reset();
  }
  if (tap_ != nullptr) tap_->flush();
}

}  // namespace smtpscope
