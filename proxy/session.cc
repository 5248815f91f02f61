#include "proxy/session.h"

#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <utility>

namespace smtpscope {

Session::Session(SessionId id, Loop& loop, UpstreamPtr upstream, ConnectionPtr client,
                 LayerStack layers, std::unique_ptr<SessionObserver> observer, SessionHost& host)
    : id_(id),
      loop_(loop),
      upstream_(std::move(upstream)),
      host_(host),
      observer_(std::move(observer)),
      layers_(std::move(layers)),
      relay_(id, layers_.innermost(*this), *this, observer_.get()),
      inner_(layers_.join(relay_, *this)) {
  connection(Side::kClient) = std::move(client);
  connection(Side::kClient)->set_events(this);
}

Session::~Session() = default;

namespace {

/// How soon, and later how often, it is looked whether all octets have arrived.
constexpr Duration kFirstLook = std::chrono::milliseconds(1);
constexpr Duration kRarestLook = std::chrono::seconds(1);

/// How a host without a name calls itself (RFC 5321 4.1.3).
std::string literal_of(const std::optional<SocketAddress>& address) {
  if (!address) return "localhost";
  const SocketAddress own = address->unmapped();
  return (own.family() == AF_INET6 ? "[IPv6:" : "[") + own.host() + "]";
}

}  // namespace

/// Through the layers to the relay. May destroy the session.
template <typename Event>
void Session::tell(Time now, const Event& event) {
  inner_.handle(now, event);
  leave_if_over();
}

/// What is no concern of the layers. May destroy the session.
template <typename Event>
void Session::tell_relay(Time now, const Event& event) {
  relay_.handle(now, event);
  leave_if_over();
}

void Session::open(Time now, const Opening& opening) {
  host_.on_activity(now);
  SessionOpened opened{opening.client, opening.listener, upstream_->name};
  opened.route = opening.route;
  opened.announced_by = opening.announced_by;
  opened.rtt = connection(Side::kClient)->round_trip();
  relay_.begin(now, opened);
  connection(Side::kClient)->start_reading();
}

void Session::refuse(const Opening& opening, std::string_view reason, std::string_view refusal) {
  const Time now = loop_.now();
  open(now, opening);
  tell_relay(now, LayerFailed{reason, refusal});
}

void Session::start(const Opening& opening, std::span<const std::uint8_t> early) {
  const Time now = loop_.now();
  open(now, opening);
  connecting_ = std::unique_ptr<Connecting>(
      new Connecting{Dialer(loop_, upstream_->resolver.get(), upstream_->endpoint,
                            upstream_->connect_timeout, upstream_->own, *this),
                     {}});
  if (speaks_from_) connecting_->dialer.speak_from(*speaks_from_);
  connecting_->dialer.start();
  if (!early.empty()) on_read(*connection(Side::kClient), now, early);
}

void Session::note_stall(Time since) { relay_.handle(loop_.now(), ProxyWasStalled{since}); }

void Session::stop(std::string_view reason) {
  departing_.reset();
  tell_relay(loop_.now(), StopRequested{reason});
}

void Session::on_read(Connection& source, Time when, std::span<const std::uint8_t> octets) {
  host_.on_activity(when);
  const Side from = side_of(source);
  octets_[index(from)] += octets.size();
  tell(when, FromPeer{from, octets});
}

/// Something happens now, and the host is told so, before it is recorded.
Time Session::stir() {
  const Time now = loop_.now();
  host_.on_activity(now);
  return now;
}

void Session::on_closed(Connection& source, CloseKind kind, std::string_view reason) {
  tell(stir(), PeerClosed{side_of(source), kind, reason});
}

void Session::on_drained(Connection& target) { tell(stir(), WriteDrained{side_of(target)}); }

void Session::on_write_failed(Connection& target) { tell(stir(), WriteFailed{side_of(target)}); }

void Session::on_connected(ConnectionPtr server, std::string_view address, Duration took,
                           std::uint32_t failed_attempts) {
  const Time now = stir();
  const std::vector<std::uint8_t> held = std::move(connecting_->held);
  connection(Side::kServer) = std::move(server);
  Connection& target = *connection(Side::kServer);
  target.set_events(this);
  target.start_reading();
  connecting_.reset();
  const UpstreamReady ready{address, took, failed_attempts, target.round_trip()};
  const Connection::Sent sent = held.empty() ? Connection::Sent{} : target.send(held);
  inner_.handle(now, ready);
  if (!connection(Side::kServer)) {
    leave_if_over();
  } else if (sent.failed) {
    on_write_failed(target);
  } else if (!held.empty() && sent.waiting == 0) {
    on_drained(target);
  }
}

void Session::on_unreachable(std::string_view reason) {
  const Time now = stir();
  host_.on_upstream_unreachable(reason);
  connecting_.reset();
  tell(now, UpstreamUnreachable{reason});
}

void Session::on_fate_settled() { tell_relay(stir(), FateSettled{}); }

void Session::on_deadline() { tell_relay(stir(), DeadlinePassed{}); }

void Session::on_alarm() { tell(stir(), AlarmRang{}); }

void Session::set_alarm(Time when) {
  if (!alarm_) alarm_ = Timer::calling<&Session::on_alarm>(loop_, this);
  alarm_->start_once(when - loop_.now());
}

Outward::Sent Session::send_to(Side to, std::span<const std::uint8_t> octets) {
  if (to == Side::kServer && connecting_) {
    connecting_->held.insert(connecting_->held.end(), octets.begin(), octets.end());
    return {octets.size(), false};
  }
  const Connection::Sent sent = connection(to)->send(octets);
  return {sent.waiting, sent.failed};
}

void Session::finish(Side to, bool) { connection(to)->finish(); }

void Session::close(Side side, bool reset) {
  if (side == Side::kServer) connecting_.reset();
  if (!connection(side)) return;
  if (reset) {
    connection(side)->reset_on_release();
    if (connection(side)->unconfirmed() > 0) {
      depart(std::move(connection(side)));
      return;
    }
  }
  connection(side).reset();
}

/// An RST makes the kernel forget what it has not delivered yet, which for a peer that is slow, far
/// away or loses packets can be megabytes. Nothing tells when they have arrived, so it is asked.
void Session::depart(ConnectionPtr connection) {
  connection->set_events(nullptr);
  connection->stop_reading();
  departing_ = std::make_unique<Departing>();
  departing_->connection = std::move(connection);
  departing_->until = loop_.now() + Relay::kAfterlife;
  departing_->pause = kFirstLook;
  departing_->timer = Timer::calling<&Session::on_departure>(loop_, this);
  departing_->timer->start_once(departing_->pause);
}

void Session::on_departure() {
  const Connection& connection = *departing_->connection;
  if (connection.unconfirmed() > 0 && !connection.is_broken() && loop_.now() < departing_->until) {
    departing_->pause = std::min(2 * departing_->pause, kRarestLook);
    departing_->timer->start_once(departing_->pause);
    return;
  }
  departing_.reset();
  leave_if_over();
}

void Session::pause_reading(Side from) { connection(from)->stop_reading(); }

void Session::resume_reading(Side from) { connection(from)->start_reading(); }

bool Session::is_broken(Side side) { return connection(side)->is_broken(); }

std::optional<TcpFigures> Session::figures_of(Side side) {
  return connection(side) ? connection(side)->figures() : std::nullopt;
}

std::string Session::own_name() {
  return literal_of(connection(Side::kServer) ? connection(Side::kServer)->own_address()
                                              : std::nullopt);
}

void Session::set_deadline(Time when) {
  if (!deadline_) deadline_ = Timer::calling<&Session::on_deadline>(loop_, this);
  deadline_->start_once(when - loop_.now());
}

}  // namespace smtpscope
