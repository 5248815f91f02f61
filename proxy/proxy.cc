#include "proxy/proxy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/counted.h"
#include "net/descriptor_limit.h"
#include "proxy/identity/proxy_announcement.h"
#include "proxy/identity/xclient.h"
#include "proxy/listen_addresses.h"
#include "proxy/sink/sink_server.h"
#include "proxy/tls/interception.h"

namespace smtpscope {
namespace {

/// Client, server, and with a server inside this program its end. (An attempt that failed is closed
/// before the next one is made.)
constexpr std::size_t kDescriptorsPerSession = 2;
constexpr std::size_t kDescriptorsPerLocalSession = 3;
constexpr std::string_view kTooMany = "421 4.3.2 smtpscope: too many sessions, try again later\r\n";

/// A proxy on the mail host turns every client into a local one.
Result<Done> check_exposure(const SocketAddress& address, const AllowList& allow) {
  if (!allow.empty() || address.is_loopback()) return Done{};
  return Error{fmt::format(
      "will not listen on {} without --allow NETWORK: the server behind sees every client come "
      "from this host, so what it permits to local clients (relaying, with Postfix's mynetworks) "
      "it would permit to anyone who can reach this port. Name the clients that may connect, "
      "such as --allow 192.0.2.0/24",
      address.text())};
}

}  // namespace

Proxy::Proxy(Loop& loop, ProxyOptions options, RelayObserver* observer, ProxyNotices& notices)
    : Proxy(std::make_unique<ProxyProcess>(loop, observer), std::move(options), notices) {}

Proxy::Proxy(std::unique_ptr<ProxyProcess> alone, ProxyOptions options, ProxyNotices& notices)
    : Proxy(*alone, std::move(options), notices) {
  alone_ = std::move(alone);
}

Proxy::Proxy(ProxyProcess& process, ProxyOptions options, ProxyNotices& notices)
    : process_(process),
      loop_(process.loop()),
      options_(std::move(options)),
      observer_(process.observer()),
      notices_(notices),
      upstreams_(loop_, process.own(), options_.connect_timeout) {}

Proxy::~Proxy() { process_.forget(*this); }

Result<Done> Proxy::check(ProxyOptions options) {
  for (const std::vector<Endpoint>* endpoints : {&options.listen, &options.listen_tls}) {
    for (const Endpoint& endpoint : *endpoints) {
      auto addresses = listen_addresses(endpoint);
      if (!addresses) return addresses.error();
      for (const SocketAddress& address : addresses.value()) {
        if (auto done = check_exposure(address, options.allow); !done) return done;
      }
    }
  }
  if (options.tls.mode == TlsMode::kPass) return Done{};
  options.tls.key_log.clear();  // it would be made
  const auto service = TlsService::make(options.tls, options.upstream.host);
  return service ? Result<Done>(Done{}) : service.error();
}

Result<Done> Proxy::start() {
  raise_descriptor_limit();
  if (auto done = open_tls(); !done) return done;
  if (auto done = open_listeners(); !done) {
    listeners_.clear();
    return done;
  }
  if (options_.upstream.is_local_server()) {
    auto server = make_local_server();
    if (!server) {
      listeners_.clear();
      return server.error();
    }
    local_server_ = std::move(server.value());
    upstream_ = upstreams_.fixed(options_.upstream.text(), local_server_->address());
  } else {
    if (options_.transparent == Transparent::kNo) upstream_ = upstreams_.find(options_.upstream);
  }
  heartbeat_ = Timer::calling<&Proxy::on_heartbeat>(loop_, this);
  process_.begin(local_server_ ? kDescriptorsPerLocalSession : kDescriptorsPerSession);
  begun_ = true;
  if (options_.most_sessions > process_.most_inside()) {
    notices_.warn(
        fmt::format("--max-sessions is {}, but the limit of open files allows only {} (ulimit -n, "
                    "LimitNOFILE=)",
                    options_.most_sessions, process_.most_inside()));
  }
  return Done{};
}

Result<std::unique_ptr<LocalServer>> Proxy::make_local_server() {
  if (options_.local_server) return options_.local_server(loop_);
  if (options_.upstream.kind != Endpoint::Kind::kSink) {
    return Error{fmt::format("{} cannot be the server here", options_.upstream.text())};
  }
  auto sink = SinkServer::make(loop_);
  if (!sink) return sink.error();
  return std::unique_ptr<LocalServer>(std::move(sink.value()));
}

Result<Done> Proxy::open_tls() {
  if (options_.tls.mode == TlsMode::kPass) return Done{};
  // The servers inside this program speak no TLS.
  if (options_.upstream.is_local_server()) options_.tls.upstream = UpstreamTls::kNone;
  const bool has_host = options_.upstream.kind == Endpoint::Kind::kTcp;
  auto service = TlsService::make(options_.tls, has_host ? options_.upstream.host : std::string(),
                                  [this](std::string_view text) { notices_.notice(text); });
  if (!service) return service.error();
  tls_ = std::move(service.value());
  for (const std::string& text : tls_->notices()) notices_.notice(text);
  return Done{};
}

void Proxy::reload_certificates() {
  if (!tls_) return;
  if (auto done = tls_->reload(); !done) {
    notices_.notice(fmt::format("the certificates were not read again, those of before stay: {}",
                                done.error().message));
  } else {
    notices_.notice("the certificates were read again");
  }
}

Result<Done> Proxy::open_listeners() {
  for (const Endpoint& endpoint : options_.listen) {
    if (auto done = listen(endpoint, false); !done) return done;
  }
  for (const Endpoint& endpoint : options_.listen_tls) {
    if (auto done = listen(endpoint, true); !done) return done;
  }
  for (const InheritedListener& given : options_.inherited) {
    auto listener = Listener::adopt(loop_, given.descriptor, *this, given.tls);
    if (!listener) return listener.error();
    process_.own().add(listener.value()->address());
    listeners_.push_back(std::move(listener.value()));
  }
  for (const ListenerPtr& listener : listeners_) {
    if (auto done = check_exposure(listener->address(), options_.allow); !done) return done;
  }
  return check_no_loop();
}

Result<Done> Proxy::listen(const Endpoint& endpoint, bool tls) {
  auto addresses = listen_addresses(endpoint);
  if (!addresses) return addresses.error();
  std::uint16_t port = endpoint.port;
  bool any = false;
  for (SocketAddress address : addresses.value()) {
    address.set_port(port);
    auto listener =
        Listener::make(loop_, address, *this, tls, options_.transparent == Transparent::kTproxy);
    if (!listener) {
      // Of the two loopbacks one is enough: IPv6 may be switched off.
      if (any && endpoint.host.empty()) continue;
      return listener.error();
    }
    any = true;
    port = listener.value()->address().port();  // one picked port for all
    process_.own().add(listener.value()->address());
    listeners_.push_back(std::move(listener.value()));
  }
  return Done{};
}

Result<Done> Proxy::check_no_loop() const {
  if (options_.transparent != Transparent::kNo) return Done{};  // each session tells
  return smtpscope::check_no_loop(options_.upstream, process_.own());
}

std::vector<SocketAddress> Proxy::addresses(bool tls) const {
  std::vector<SocketAddress> addresses;
  for (const ListenerPtr& listener : listeners_) {
    if (listener->tls() == tls) addresses.push_back(listener->address());
  }
  return addresses;
}

void Proxy::on_client_waiting(Listener& listener) {
  if (process_.room()) {
    admit(listener);
    return;
  }
  // Until this one is accepted no further one is taken; they wait in the kernel.
  process_.wait_for_room(*this, listener);
  tell_full("wait until one ends");
}

/// `clients`: what becomes of more of them.
void Proxy::tell_full(std::string_view clients) {
  if (!process_.is_news_of_full()) return;
  // A loop through another proxy or a NAT cannot be told from many clients of a server that hangs:
  // the connections are of other addresses. But in neither has a server said a word.
  const bool greeted = std::ranges::any_of(sessions_, [](const std::unique_ptr<Session>& session) {
    return session->octets()[index(Side::kServer)] > 0;
  });
  notices_.warn(fmt::format(
      "{} sessions are open and the limit of open files allows no more; new clients {} (raise the "
      "limit: ulimit -n, LimitNOFILE=){}",
      process_.most_inside(), clients,
      greeted ? ""
              : "; the server has greeted none of them: it hangs, or --upstream leads back to "
                "smtpscope by way of another proxy or a NAT"));
}

void Proxy::admit(Listener& listener) {
  auto [client, peer] = listener.accept();
  if (!options_.allow.admits(peer) && !is_redirected_here(peer, listener)) {
    ++totals_.turned_away;
    notices_.notice(fmt::format("refused {}: not in an --allow network", peer.text()));
    return;
  }
  const Room room = process_.room().value_or(Room::kAtTheDoor);
  process_.enter(room);
  const bool is_own = options_.transparent == Transparent::kTproxy;
  const auto own =
      listener.address().is_wildcard() || is_own ? client->own_address() : std::nullopt;
  Arrival arrival{peer, listener.address(), own ? *own : listener.address(), listener.tls()};
  if (is_own) arrival.wanted = own;
  if (options_.transparent == Transparent::kRedirect) {
    arrival.wanted = client->original_destination();
  }
  if (options_.announced_by.names(peer)) {
    receive(std::move(client), arrival, room);
  } else {
    begin_session(std::move(client), arrival, room, {}, {});
  }
}

/// A program of this host that wanted to go elsewhere has an address that faces there, though it
/// was sent to the loopback.
bool Proxy::is_redirected_here(const SocketAddress& peer, const Listener& listener) const {
  return options_.transparent == Transparent::kRedirect && listener.address().is_loopback() &&
         is_of_this_host(peer);
}

/// It says first for whom it connects.
void Proxy::receive(ConnectionPtr client, const Arrival& arrival, Room room) {
  ReceptionHost& host = *this;
  auto reception = std::make_unique<Reception>(loop_, std::move(client), arrival, host);
  Reception& started = *reception;
  started.slot = receptions_.size();
  started.room = room;
  receptions_.push_back(std::move(reception));
  started.start();
}

std::unique_ptr<Reception> Proxy::take_out(Reception& reception) {
  const std::size_t slot = reception.slot;
  std::swap(receptions_[slot], receptions_.back());
  receptions_[slot]->slot = slot;
  std::unique_ptr<Reception> out = std::move(receptions_.back());
  receptions_.pop_back();
  return out;
}

void Proxy::on_announced(Reception& reception) {
  const std::unique_ptr<Reception> announced = take_out(reception);
  begin_session(announced->take_connection(), announced->arrival(), announced->room,
                announced->announced_by(), announced->rest());
}

void Proxy::on_not_announced(Reception& reception) {
  const std::unique_ptr<Reception> gone = take_out(reception);
  ++totals_.turned_away;
  notices_.notice(fmt::format("refused {}: {}", gone->peer(), gone->fault()));
  process_.leave(gone->room);
}

/// `announced_by`: see SessionOpened. `early`: what was read of the client already.
void Proxy::begin_session(ConnectionPtr client, const Arrival& arrival, Room room,
                          const std::string& announced_by, std::span<const std::uint8_t> early) {
  const std::optional<Refusal> refusal = why_refused(arrival, room);
  UpstreamPtr upstream = upstream_for(arrival);
  const SessionId id = process_.next_session();
  ++totals_.sessions;
  auto observer = observer_ != nullptr ? observer_->open(id) : nullptr;
  LayerStack layers = make_layers(id, arrival, *upstream, observer.get());
  SessionHost& host = *this;
  auto session = std::make_unique<Session>(id, loop_, std::move(upstream), std::move(client),
                                           std::move(layers), std::move(observer), host);
  Session& started = *session;
  started.slot = sessions_.size();
  started.room = room;
  sessions_.push_back(std::move(session));
  if (!heartbeat_->is_running()) {
    heart_.start(loop_.now());
    heartbeat_->start_repeating(Heartbeat::kPeriod);
  }
  process_.session_opened();
  const std::string client_text = arrival.client.text();
  const std::string reached_text = arrival.reached.text();
  const Session::Opening opening{.client = client_text,
                                 .listener = reached_text,
                                 .route = options_.name,
                                 .announced_by = announced_by};
  if (refusal) {
    ++totals_.refused;
    if (room == Room::kAtTheDoor) {
      tell_full("are told 421");
    } else {
      tell_refusal(arrival, *refusal);
    }
    started.refuse(opening, refusal->reason, arrival.tls ? std::string_view() : refusal->reply);
    return;
  }
  started.counted_for = arrival.client.unmapped().host();
  ++counted_;
  ++by_client_[started.counted_for];
  if (options_.spoof_client) started.speak_from(arrival.client);
  started.start(opening, early);
}

UpstreamPtr Proxy::upstream_for(const Arrival& arrival) {
  if (options_.transparent != Transparent::kNo) {
    const SocketAddress& there = arrival.wanted ? *arrival.wanted : arrival.reached;
    const SocketAddress plain = there.unmapped();
    Endpoint endpoint;
    endpoint.host = plain.host();
    endpoint.port = plain.port();
    return upstreams_.find(endpoint);
  }
  return options_.route ? upstreams_.find(options_.route(arrival)) : upstream_;
}

/// RFC 3463: X.3.2, the system is not accepting network messages now; X.7.0, other or undefined
/// security status, which is what servers say to a client with too many connections; X.4.6, a
/// routing loop.
std::optional<Proxy::Refusal> Proxy::why_refused(const Arrival& arrival, Room room) const {
  if (options_.transparent != Transparent::kNo) {
    const bool direct = !arrival.wanted || process_.own().reached_by(*arrival.wanted) != nullptr ||
                        process_.own().may_come_back(*arrival.wanted);
    if (direct) {
      return Refusal{
          "no rule of the firewall has sent this client here, so there is no server to go to",
          "421 4.4.6 smtpscope: you have connected to a transparent proxy itself\r\n"};
    }
  }
  if (room == Room::kAtTheDoor) {
    return Refusal{fmt::format("{} sessions are open, and the limit of open files allows no more",
                               process_.most_inside()),
                   std::string(kTooMany)};
  }
  if (options_.most_sessions > 0 && counted_ >= options_.most_sessions) {
    return Refusal{
        fmt::format("{} open, and --max-sessions allows no more", counted(counted_, "session")),
        std::string(kTooMany)};
  }
  const std::string client = arrival.client.unmapped().host();
  const auto at = by_client_.find(client);
  if (options_.most_sessions_per_client > 0 && at != by_client_.end() &&
      at->second >= options_.most_sessions_per_client) {
    return Refusal{
        fmt::format("{} has {} open, and --max-sessions-per-client allows no more", client,
                    counted(at->second, "session")),
        fmt::format("421 4.7.0 smtpscope: too many sessions from {}, try again later\r\n", client)};
  }
  return std::nullopt;
}

/// Once until a session has ended: a client that tries again and again is no news.
void Proxy::tell_refusal(const Arrival& arrival, const Refusal& refusal) {
  if (std::exchange(said_refused_, true)) return;
  notices_.warn(
      fmt::format("refused {}: {}; it was told 421", arrival.client.text(), refusal.reason));
}

/// What stands between the sockets and the relay, in this order.
LayerStack Proxy::make_layers(SessionId id, const Arrival& arrival, const Upstream& upstream,
                              SessionObserver* observer) {
  std::vector<std::unique_ptr<Layer>> layers;
  const ConnectionEnds ends{arrival.client, arrival.reached};
  if (options_.announce == Announce::kProxyV1) {
    layers.push_back(std::make_unique<ProxyAnnouncement>(id, proxy_header_v1(ends), observer));
  } else if (options_.announce == Announce::kProxyV2) {
    layers.push_back(std::make_unique<ProxyAnnouncement>(id, proxy_header_v2(ends), observer));
  }
  if (tls_) {
    layers.push_back(
        std::make_unique<Interception>(id, *tls_, upstream.tls_name, arrival.tls, observer));
  }
  if (options_.announce == Announce::kXclient) {
    layers.push_back(std::make_unique<XclientAnnouncement>(id, ends, observer));
  }
  if (options_.experiment) {
    for (auto& layer : options_.experiment(id, arrival, loop_.now(), observer)) {
      layers.push_back(std::move(layer));
    }
  }
  return LayerStack(std::move(layers));
}

void Proxy::on_activity(Time now) {
  note_stall(heart_.on_activity(now));
  process_.on_activity();
}

void Proxy::on_heartbeat() {
  const Time now = loop_.now();
  note_stall(heart_.on_beat(now));
  // Here, not with a timer for each session: that would have to be set anew with every read.
  for (const auto& session : sessions_) session->note_time(now);
  process_.on_activity();
}

void Proxy::note_stall(std::optional<Time> since) {
  if (!since) return;
  for (const auto& session : sessions_) session->note_stall(*since);
}

void Proxy::on_upstream_unreachable(std::string_view reason) {
  ++totals_.unreachable;
  notices_.warn(fmt::format("cannot reach the server, so the client was sent a 421: {}", reason));
}

void Proxy::on_session_over(Session& session) {
  for (std::size_t side = 0; side < totals_.octets.size(); ++side) {
    totals_.octets[side] += session.octets()[side];
  }
  if (!session.counted_for.empty()) {
    --counted_;
    const auto at = by_client_.find(session.counted_for);
    if (--at->second == 0) by_client_.erase(at);
    said_refused_ = false;
  }
  const Room room = session.room;
  const std::size_t slot = session.slot;
  assert(sessions_[slot].get() == &session);
  std::swap(sessions_[slot], sessions_.back());
  sessions_[slot]->slot = slot;
  sessions_.pop_back();
  if (sessions_.empty()) heartbeat_->stop();
  process_.session_over();
  if (stopping_) finish_if_idle();
  process_.leave(room);
}

void Proxy::stop() {
  if (stopping_) return;
  stopping_ = true;
  process_.forget(*this);
  listeners_.clear();
  while (!receptions_.empty()) {
    const Room room = receptions_.back()->room;
    receptions_.pop_back();
    process_.leave(room);
  }
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
  upstream_.reset();
  if (local_server_) {
    totals_.discarded = local_server_->messages();
    local_server_.reset();
  }
  if (std::exchange(begun_, false)) process_.end();
}

}  // namespace smtpscope
