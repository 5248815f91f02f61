#include "proxy/relay.h"

#include <cassert>

#include "base/octets.h"

// Theory of operation
//
// A session is two legs. Octets from one leg go to the other at once; when the kernel does not
// take them all, the source is not read from until they are out, so at most one read waits per
// direction (while the server is still being connected to: kMaxHeld and one read).
//
// Ends travel like octets, behind those that came before them. What one leg did is kept as the
// `farewell` of the other, and advance() carries it out once nothing waits there any more:
//
//   a leg's FIN              -> farewell FIN on the other; the opposite direction goes on
//   a leg's RST or error     -> this leg is closed, farewell RST on the other
//   … of the client          -> phase kAwaitingFate: the observer is asked whether a message is
//                               unanswered, the server is listened to until it has answered, and
//                               only then reset
//   both legs done           -> both closed, session ended
//
// While the server is still being connected to, ends wait as octets do: a server that was spoken to
// directly would have got both. A leg may be reset behind its FIN; the reset then follows the FIN.
//
// A failed write is no end by itself: what the peer sent before it broke off is still in the
// kernel and is read and passed on first. The leg is deaf until its reading ends too.

namespace smtpscope {
namespace {

// RFC 5321 3.8 and 4.2: 421 is how a server says that it is going away; RFC 3463 X.4.1 is "no
// answer from host".
constexpr std::string_view kRefusal =
    "421 4.4.1 smtpscope: the mail server behind this tracing proxy does not answer\r\n";

}  // namespace

Relay::Relay(SessionId session, Outward& port, RelayHost& host, SessionObserver* observer)
    : session_(session), port_(port), host_(host), observer_(observer) {}

template <typename Body>
void Relay::record(Time now, const Body& body) {
  if (observer_ != nullptr) observer_->feed(WireEvent{session_, now, body});
}

void Relay::record_octets(Time now, Side from, std::span<const std::uint8_t> octets, bool by_proxy,
                          bool undelivered, std::string_view scenario) {
  if (observer_ == nullptr) return;
  WireEvent event;
  event.session = session_;
  event.time = now;
  Bytes& bytes = event.body.emplace<Bytes>();
  bytes.from = from;
  bytes.head = octets;
  bytes.by_proxy = by_proxy;
  bytes.undelivered = undelivered;
  bytes.scenario = scenario;
  observer_->feed(event);
}

void Relay::record_read(Time now, const FromPeer& read, bool undelivered) {
  if (observer_ == nullptr) return;
  WireEvent event;
  event.session = session_;
  event.time = now;
  Bytes& bytes = event.body.emplace<Bytes>();
  bytes.from = read.from;
  bytes.head = read.octets;
  bytes.undelivered = undelivered;
  bytes.tls = read.tls;
  bytes.instead = read.instead;
  bytes.scenario = read.scenario;
  observer_->feed(event);
}

void Relay::begin(Time now, const SessionOpened& opened) { record(now, opened); }

void Relay::handle(Time now, const FromPeer& event) {
  assert(phase_ != Phase::kEnded);
  const Side to = other(event.from);
  heard_ = now;
  awaited_ = to;
  spoke_ = true;
  looks_ = 0;
  Leg& target = leg(to);
  assert(!leg(event.from).input_over);

  Outward::Sent sent{0, true};
  const std::span<const std::uint8_t> octets = event.instead ? *event.instead : event.octets;
  if (target.takes_octets() && octets.empty()) {
    sent.failed = false;
  } else if (target.takes_octets()) {
    sent = port_.send_to(to, octets);
    if (sent.failed) {
      target.deaf = true;
    } else if (sent.waiting > 0) {
      if (target.waiting == 0) target.blocked_since = now;
      target.waiting += sent.waiting;
      if (phase_ == Phase::kRelaying || target.waiting >= kMaxHeld) pause(event.from);
    } else if (target.input_over && port_.is_broken(to)) {
      // It had closed altogether, not just its direction, and the kernel already knows.
      sent.failed = target.deaf = true;
    }
  }
  record_read(now, event, sent.failed);

  if (phase_ != Phase::kRefusing && (target.input_over || target.closed)) {
    host_.set_deadline(now + kAfterlife);  // it still has something to say
  }
  if (phase_ != Phase::kAwaitingFate && target.deaf && target.input_over && notice_gone(now, to)) {
    pass_on_loss(now, to);
  }
}

void Relay::handle(Time now, const FateSettled&) {
  if (phase_ != Phase::kAwaitingFate) return;
  leg(Side::kServer).farewell = Farewell::kReset;
  advance(now);
}

void Relay::handle(Time now, const PeerClosed& event) {
  assert(phase_ != Phase::kEnded);
  Leg& source = leg(event.side);
  assert(!source.closed);

  look_at_end(now, other(event.side));
  if (event.kind != CloseKind::kFin) {
    record(now, Closed{event.side, event.kind, event.by_proxy, event.reason});
    lose(now, event.side);
    return;
  }
  const Side to = other(event.side);
  if (leg(to).input_over) notice_gone(now, to);
  record(now, Closed{event.side, CloseKind::kFin, event.by_proxy, event.reason});
  source.input_over = true;
  if (leg(to).farewell == Farewell::kNone) {
    leg(to).farewell = Farewell::kFin;
    leg(to).truncated = event.truncated;
  }
  if (phase_ != Phase::kRefusing) host_.set_deadline(now + kAfterlife);
  advance(now);
}

void Relay::handle(Time now, const UpstreamReady& event) {
  assert(phase_ == Phase::kConnecting);
  phase_ = Phase::kRelaying;
  // What was held has waited for the connection, not for a peer that does not read.
  leg(Side::kServer).blocked_since = now;
  heard_ = now;
  record(now, UpstreamConnected{event.server, event.took, event.failed_attempts, event.rtt});
  advance(now);
}

void Relay::handle(Time now, const ProxyReply& event) {
  Leg& client = leg(Side::kClient);
  Outward::Sent sent{0, true};
  if (client.takes_octets()) {
    sent = port_.send_to(Side::kClient, event.octets);
    if (sent.failed) client.deaf = true;
    if (sent.waiting > 0 && client.waiting == 0) client.blocked_since = now;
    client.waiting += sent.waiting;
  }
  record_octets(now, Side::kServer, event.octets, true, sent.failed, event.scenario);
}

void Relay::handle(Time now, const LayerFailed& event) {
  if (phase_ == Phase::kEnded || phase_ == Phase::kRefusing) return;
  Leg& server = leg(Side::kServer);
  const bool was_closed = server.closed;
  if (phase_ == Phase::kConnecting) close(Side::kServer, false);
  phase_ = Phase::kRefusing;
  if (!event.refusal.empty()) handle(now, ProxyReply{octets_of(event.refusal)});
  server.waiting = 0;  // what a layer held for it is lost
  // A server that there was no connection to yet is told of as well: that is where the reason
  // stands.
  if (!was_closed) record(now, Closed{Side::kServer, CloseKind::kFin, true, event.reason});
  for (const Side side : {Side::kClient, Side::kServer}) {
    Leg& self = leg(side);
    if (self.farewell == Farewell::kNone) self.farewell = Farewell::kFin;
    if (!self.closed && !self.input_over) resume(side);
  }
  host_.set_deadline(now + kRefusalLinger);
  advance(now);
}

void Relay::handle(Time now, const UpstreamUnreachable& event) {
  assert(phase_ == Phase::kConnecting);
  phase_ = Phase::kRefusing;
  record(now, UpstreamFailed{event.reason});
  leg(Side::kServer).waiting = 0;
  leg(Side::kServer).closed = true;

  Leg& client = leg(Side::kClient);
  if (!client.closed) {
    const auto refusal = octets_of(kRefusal);
    const Outward::Sent sent = port_.send_to(Side::kClient, refusal);
    client.waiting = sent.waiting;
    client.blocked_since = now;
    client.deaf = sent.failed;
    record_octets(now, Side::kServer, refusal, true, sent.failed);
  }
  record(now, Closed{Side::kServer, CloseKind::kFin, true, "the server could not be reached"});
  client.farewell = Farewell::kFin;
  // Its own FIN is waited for: closing on octets that were not read would send an RST, which may
  // overtake the 421 (RFC 1122 4.2.2.13).
  if (!client.closed) resume(Side::kClient);
  host_.set_deadline(now + kRefusalLinger);
  advance(now);
}

void Relay::handle(Time now, const WriteDrained& event) {
  assert(phase_ != Phase::kEnded);
  stop_waiting(now, event.to);
  const Side from = other(event.to);
  if (!leg(from).closed && !leg(from).input_over) resume(from);
  advance(now);
}

void Relay::handle(Time now, const WriteFailed& event) {
  assert(phase_ != Phase::kEnded);
  stop_waiting(now, event.to);
  leg(event.to).deaf = true;
  if (leg(event.to).input_over) {
    if (notice_gone(now, event.to)) pass_on_loss(now, event.to);
    return;
  }
  const Side from = other(event.to);
  if (!leg(from).closed && !leg(from).input_over) resume(from);
  advance(now);
}

void Relay::handle(Time now, const DeadlinePassed&) {
  if (phase_ == Phase::kEnded) return;
  const Side side = leg(Side::kServer).done() ? Side::kClient : Side::kServer;
  look_at_end(now, side);
  record(now, Closed{side, CloseKind::kTimeout, true,
                     phase_ == Phase::kRefusing
                         ? "it did not close after having been refused"
                         : "nothing came for 600 s after the other side had closed"});
  end(now);
}

void Relay::handle(Time now, const ProxyWasStalled& event) {
  if (phase_ != Phase::kEnded) record(now, ProxyStalled{event.since});
}

void Relay::handle(Time now, const TimePassed&) {
  if (looks_ == kLooks.size() || now - heard_ < kLooks[looks_]) return;
  if (phase_ != Phase::kRelaying && phase_ != Phase::kAwaitingFate) return;
  while (looks_ < kLooks.size() && now - heard_ >= kLooks[looks_]) ++looks_;
  look(now, Side::kClient);
  look(now, Side::kServer);
}

void Relay::handle(Time now, const StopRequested& event) {
  if (phase_ == Phase::kEnded) return;
  look_at_end(now, Side::kClient);
  look_at_end(now, Side::kServer);
  for (const Side side : {Side::kClient, Side::kServer}) {
    if (phase_ == Phase::kConnecting && side == Side::kServer) continue;
    if (leg(side).closed || leg(side).input_over) continue;
    record(now, Closed{side, CloseKind::kFin, true, event.reason});
  }
  end(now);
}

/// Records how the connection to a side does. That all is well is told once a silence, and only of
/// the side that is expected to say something.
void Relay::look(Time now, Side side) {
  if (observer_ == nullptr || leg(side).closed) return;
  const std::optional<TcpFigures> figures = host_.figures_of(side);
  if (!figures) return;
  const bool well = figures->confirmed() && figures->out_of_order == 0;
  const bool news = looks_ <= 1 && spoke_ && side == awaited_;
  if (!well || news) record(now, TcpReport{side, *figures});
}

void Relay::look_at_end(Time now, Side side) {
  if (phase_ != Phase::kRelaying && phase_ != Phase::kAwaitingFate) return;
  if (now - heard_ >= kLookAtEnd) look(now, side);
}

void Relay::pause(Side from) {
  if (leg(from).paused) return;
  leg(from).paused = true;
  port_.pause_reading(from);
}

void Relay::resume(Side from) {
  if (!leg(from).paused) return;
  leg(from).paused = false;
  port_.resume_reading(from);
}

/// Nothing waits for `to` any more, for better or worse.
void Relay::stop_waiting(Time now, Side to) {
  Leg& target = leg(to);
  if (target.waiting > 0 && phase_ != Phase::kConnecting &&
      now - target.blocked_since >= kReportedBlock) {
    record(now, Blocked{to, target.blocked_since, target.waiting});
  }
  target.waiting = 0;
}

/// Whether a peer that had sent its FIN turns out to be gone altogether: it closed without reading
/// on. Then its connection is closed.
bool Relay::notice_gone(Time now, Side side) {
  if (leg(side).closed) return false;
  if (!leg(side).deaf && !port_.is_broken(side)) return false;
  record(now, Closed{side, CloseKind::kReset, false, {}});
  stop_waiting(now, side);
  close(side, false);
  return true;
}

/// The connection to `side` is gone, both directions of it.
void Relay::lose(Time now, Side side) {
  stop_waiting(now, side);
  close(side, false);
  pass_on_loss(now, side);
}

void Relay::pass_on_loss(Time now, Side side) {
  const Side rest = other(side);
  if (side == Side::kClient && phase_ == Phase::kRelaying && !leg(rest).input_over &&
      observer_ != nullptr) {
    // A message may yet be accepted; a reset now could make the server drop it, and nobody
    // would know (rules for lost replies: RFC 1047, RFC 5321 6.1).
    phase_ = Phase::kAwaitingFate;
    host_.ask_fate();
  } else {
    leg(rest).farewell = Farewell::kReset;
  }
  if (!leg(rest).closed && !leg(rest).input_over) resume(rest);
  host_.set_deadline(now + kAfterlife);
  advance(now);
}

/// Carries out what has become possible.
void Relay::advance(Time now) {
  if (phase_ == Phase::kConnecting) return;
  for (const Side side : {Side::kClient, Side::kServer}) {
    Leg& self = leg(side);
    if (self.closed || self.farewell != Farewell::kReset) continue;
    if (self.waiting == 0 && !port_.holds(side)) close(side, true);
  }
  for (const Side side : {Side::kClient, Side::kServer}) {
    Leg& self = leg(side);
    if (self.closed || self.finished || self.farewell != Farewell::kFin) continue;
    if (self.waiting > 0) continue;
    self.finished = true;
    port_.finish(side, self.truncated);
  }
  if (leg(Side::kClient).done() && leg(Side::kServer).done()) end(now);
}

void Relay::close(Side side, bool reset) {
  leg(side).closed = true;
  leg(side).waiting = 0;
  port_.close(side, reset);
}

void Relay::end(Time now) {
  for (const Side side : {Side::kClient, Side::kServer}) {
    stop_waiting(now, side);
    if (!leg(side).closed) close(side, false);
  }
  phase_ = Phase::kEnded;
  record(now, SessionEnded{});
  host_.session_ended();
}

}  // namespace smtpscope
