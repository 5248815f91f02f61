#include "proxy/session.h"

#include <sys/socket.h>

#include <string>
#include <utility>

namespace smtpscope {

Session::Session(SessionId id, Loop& loop, const Upstream& upstream, ConnectionPtr client,
                 bool client_tls, std::unique_ptr<SessionTap> tap, SessionHost& host)
    : id_(id),
      loop_(loop),
      upstream_(upstream),
      host_(host),
      tap_(std::move(tap)),
      tls_(make_interception(client_tls)),
      relay_(id, port(), tap_.get()) {
  connection(Side::kClient) = std::move(client);
  connection(Side::kClient)->set_events(this);
}

Session::~Session() = default;

std::unique_ptr<Interception> Session::make_interception(bool client_tls) {
  if (upstream_.tls == nullptr) return nullptr;
  RelayPort& wire = *this;
  // The relay is made behind it, and spoken to only once it is.
  return std::make_unique<Interception>(id_, *upstream_.tls, client_tls, wire, relay_, tap_.get());
}

RelayPort& Session::port() {
  if (tls_) return *tls_;
  return *this;
}

namespace {

/// How a host without a name calls itself (RFC 5321 4.1.3).
std::string literal_of(const std::optional<SocketAddress>& address) {
  if (!address) return "localhost";
  const SocketAddress own = address->unmapped();
  std::string text = own.text();
  text.resize(text.rfind(':'));
  if (own.family() == AF_INET6) return "[IPv6:" + text.substr(1);
  return "[" + text + "]";
}

}  // namespace

/// The way into the relay for all events. May destroy the session.
template <typename Event>
void Session::tell_relay(Time now, const Event& event) {
  relay_.handle(now, event);
  if (over_) host_.on_session_over(*this);
}

void Session::start(std::string_view client, std::string_view listener) {
  const Time now = loop_.now();
  host_.on_activity(now);
  SessionOpened opened{client, listener, upstream_.name};
  opened.rtt = connection(Side::kClient)->round_trip();
  relay_.begin(now, opened);
  connection(Side::kClient)->start_reading();
  connecting_ = std::unique_ptr<Connecting>(new Connecting{
      Dialer(loop_, upstream_.resolver, upstream_.endpoint, upstream_.connect_timeout, *this), {}});
  connecting_->dialer.start();
}

void Session::note_stall(Time since) { relay_.handle(loop_.now(), ProxyWasStalled{since}); }

void Session::stop(std::string_view reason) { tell_relay(loop_.now(), StopRequested{reason}); }

void Session::on_read(Connection& source, Time when, std::span<const std::uint8_t> octets) {
  host_.on_activity(when);
  const Side from = side_of(source);
  octets_[index(from)] += octets.size();
  if (tls_) {
    tls_->from_peer(when, from, octets);
    leave_if_over();
    return;
  }
  tell_relay(when, FromPeer{from, octets});
}

void Session::on_closed(Connection& source, CloseKind kind, std::string_view reason) {
  const Time now = loop_.now();
  host_.on_activity(now);
  const PeerClosed closed{side_of(source), kind, reason};
  if (tls_) {
    tls_->peer_closed(now, closed);
    leave_if_over();
    return;
  }
  tell_relay(now, closed);
}

void Session::on_drained(Connection& target) {
  const Time now = loop_.now();
  host_.on_activity(now);
  if (tls_) {
    tls_->drained(now, side_of(target));
    leave_if_over();
    return;
  }
  tell_relay(now, WriteDrained{side_of(target)});
}

void Session::on_write_failed(Connection& target) {
  const Time now = loop_.now();
  host_.on_activity(now);
  if (tls_) {
    tls_->write_failed(now, side_of(target));
    leave_if_over();
    return;
  }
  tell_relay(now, WriteFailed{side_of(target)});
}

void Session::on_connected(ConnectionPtr server, std::string_view address, Duration took,
                           std::uint32_t failed_attempts) {
  const Time now = loop_.now();
  host_.on_activity(now);
  const std::vector<std::uint8_t> held = std::move(connecting_->held);
  connection(Side::kServer) = std::move(server);
  Connection& target = *connection(Side::kServer);
  target.set_events(this);
  target.start_reading();
  connecting_.reset();
  const UpstreamReady ready{address, took, failed_attempts, target.round_trip()};
  const Connection::Sent sent = held.empty() ? Connection::Sent{} : target.send(held);
  if (tls_) {
    tls_->upstream_ready(now, ready, literal_of(target.own_address()));
  } else {
    relay_.handle(now, ready);
  }
  if (sent.failed) {
    on_write_failed(target);
  } else if (!held.empty() && sent.waiting == 0) {
    on_drained(target);
  } else {
    leave_if_over();
  }
}

void Session::on_unreachable(std::string_view reason) {
  const Time now = loop_.now();
  host_.on_activity(now);
  host_.on_upstream_unreachable(reason);
  connecting_.reset();
  if (tls_) {
    tls_->upstream_unreachable(now, UpstreamUnreachable{reason});
    leave_if_over();
    return;
  }
  tell_relay(now, UpstreamUnreachable{reason});
}

void Session::on_deadline() { tell_relay(loop_.now(), DeadlinePassed{}); }

RelayPort::Sent Session::send_to(Side to, std::span<const std::uint8_t> octets) {
  if (to == Side::kServer && connecting_) {
    connecting_->held.insert(connecting_->held.end(), octets.begin(), octets.end());
    return {octets.size(), false};
  }
  const Connection::Sent sent = connection(to)->send(octets);
  return {sent.waiting, sent.failed};
}

void Session::finish(Side to) { connection(to)->finish(); }

void Session::close(Side side, bool reset) {
  if (side == Side::kServer) connecting_.reset();
  if (!connection(side)) return;
  if (reset) connection(side)->reset_on_release();
  connection(side).reset();
}

void Session::pause_reading(Side from) { connection(from)->stop_reading(); }

void Session::resume_reading(Side from) { connection(from)->start_reading(); }

bool Session::is_broken(Side side) { return connection(side)->is_broken(); }

void Session::set_deadline(Time when) {
  if (!deadline_) deadline_ = Timer::calling<&Session::on_deadline>(loop_, this);
  deadline_->start_once(when - loop_.now());
}

}  // namespace smtpscope
