#include "proxy/tls/interception.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/octets.h"
#include "proxy/aside.h"

namespace smtpscope {
namespace {

/// Plain octets that are encrypted in one go; bounds what a channel puts out at once.
constexpr std::size_t kSlice = std::size_t{64} * 1024;

/// Octets that wait for a handshake before their sender is not read from any more.
constexpr std::size_t kFreelyHeld = std::size_t{64} * 1024;

UpstreamTls way_to_server(const TlsOptions& options, bool client_tls) {
  if (options.upstream != UpstreamTls::kSame) return options.upstream;
  return client_tls ? UpstreamTls::kImplicit : UpstreamTls::kNone;
}

}  // namespace

Interception::Interception(SessionId session, TlsService& service, std::string server_name,
                           bool client_tls, SessionObserver* observer)
    : session_(session),
      service_(service),
      server_name_(std::move(server_name)),
      observer_(observer),
      client_speaks_tls_(client_tls) {
  const TlsOptions& options = service.options();
  const UpstreamTls way = way_to_server(options, client_tls);
  leg(Side::kServer).will_turn = way != UpstreamTls::kNone;
  dialogue_due_ = way == UpstreamTls::kStartTls;
  leg(Side::kClient).will_turn = client_tls;
  if (client_tls) return;
  const bool together =
      options.mode == TlsMode::kIntercept && options.upstream == UpstreamTls::kSame;
  StarttlsWatchEvents& events = *this;
  watch_ = std::make_unique<StarttlsWatch>(
      together ? StarttlsWatch::Way::kTurn : StarttlsWatch::Way::kHide, events);
}

Interception::~Interception() = default;

void Interception::record_aside(Side from, std::string_view text) {
  record(said_aside(from, text));
}

bool Interception::open(Side side) const {
  const Leg& self = legs_[index(side)];
  if (!self.channel) return false;
  const TlsChannel::Stage stage = self.channel->stage();
  return stage == TlsChannel::Stage::kOpen || stage == TlsChannel::Stage::kClosed;
}

/// A client that was answered, on which the handshake now depends alone.
bool Interception::shaking_hands(Side side) const {
  const Leg& self = legs_[index(side)];
  return side == Side::kClient && self.channel && !self.told && self.pending.empty() &&
         self.channel->stage() == TlsChannel::Stage::kHandshake && open(Side::kServer);
}

// What happens on the connections.

void Interception::handle(Time now, const UpstreamReady& ready) {
  now_ = now;
  connected_ = true;
  tell_relay(ready);
  if (dialogue_due_) dialogue_ = std::make_unique<UpstreamDialogue>(outer().own_name());
  begin_server_if_due();
}

void Interception::handle(Time now, const UpstreamUnreachable& event) {
  now_ = now;
  leg(Side::kServer).will_turn = false;
  tell_relay(event);
  leg(Side::kServer).closed = true;
  // A client in TLS is told so inside of it.
  if (!over()) answer_client_if_due();
}

void Interception::handle(Time now, const FromPeer& event) {
  now_ = now;
  const Side side = event.from;
  const std::span<const std::uint8_t> octets = event.octets;
  Leg& self = leg(side);
  if (self.closed || self.input_over || broken_off_) return;
  if (self.will_turn && side == Side::kClient && !self.channel) begin_client(now);
  if (self.channel) {
    self.channel->receive(octets);
    if (side == Side::kClient && !self.told && self.channel->heard_garbage()) {
      keep_back(side, octets);
    }
    pump(side);
  } else if (side == Side::kServer && dialogue_ && !dialogue_->over()) {
    converse(octets);
  } else if (self.will_turn) {
    keep_back(side, octets);  // nothing may come before the ClientHello that it is sent
  } else if (watch_) {
    watch_->receive(side, octets);
  } else {
    tell_relay(FromPeer{side, octets});
  }
}

void Interception::handle(Time now, const PeerClosed& closed) {
  now_ = now;
  Leg& self = leg(closed.side);
  if (watch_ && !self.input_over) watch_->end_of(closed.side);
  if (self.channel && !self.told) {
    self.channel->end_of_input();
    on_failed(closed.side);
  } else if (self.will_turn && !self.told && connected_ && !broken_off_) {
    self.told = true;
    auto facts = std::make_shared<TlsFacts>();
    facts->failure = "it closed before TLS began";
    facts->failed_by = closed.side;
    record(TlsHandshake{closed.side, Duration::zero(), facts});
    break_off(facts->failure, closed.side == Side::kServer);
  }
  end_input(closed);
}

/// What still waits of the side's octets goes on before its end does.
void Interception::end_input(PeerClosed closed) {
  Leg& self = leg(closed.side);
  const bool fin = closed.kind == CloseKind::kFin;
  // A FIN behind close_notify tells nothing new; a reset does.
  if (self.input_over && fin) return;
  if (fin && self.channel && self.channel->stage() == TlsChannel::Stage::kOpen) {
    closed.truncated = true;
    closed.reason = "without a close_notify of TLS: what it said may be cut short";
  }
  if (watch_ && !self.input_over) watch_->end_of(closed.side);
  self.input_over = true;
  if (!self.closed) tell_relay(closed);
}

void Interception::handle(Time now, const WriteDrained& event) {
  now_ = now;
  const Side to = event.to;
  Leg& self = leg(to);
  self.raw_waiting = false;
  read_on(to);
  if (!self.pending.empty() || shaking_hands(to)) return;  // that was the handshake
  if (std::exchange(self.finish_wanted, false) && !self.closed) outer().finish(to, self.truncated);
  tell_relay(event);
}

void Interception::handle(Time now, const WriteFailed& event) {
  now_ = now;
  const Side to = event.to;
  leg(to).raw_waiting = false;
  leg(to).pending.clear();
  read_on(to);
  tell_relay(event);
}

/// Behind a pause of our own.
void Interception::read_on(Side side) {
  Leg& self = leg(side);
  if (!std::exchange(self.paused_here, false) || self.paused_by_relay || self.closed) return;
  outer().resume_reading(side);
}

// The relay's commands.

void Interception::pause_reading(Side from) {
  leg(from).paused_by_relay = true;
  if (!leg(from).paused_here) outer().pause_reading(from);
}

void Interception::resume_reading(Side from) {
  leg(from).paused_by_relay = false;
  if (!leg(from).paused_here) outer().resume_reading(from);
}

Outward::Sent Interception::send_raw(Side to, std::span<const std::uint8_t> octets) {
  if (leg(to).closed) return {0, true};
  const Sent sent = outer().send_to(to, octets);
  if (sent.waiting > 0) leg(to).raw_waiting = true;
  return sent;
}

Outward::Sent Interception::send_to(Side to, std::span<const std::uint8_t> octets) {
  Leg& self = leg(to);
  if (!self.will_turn && !self.channel) return send_raw(to, octets);
  if (!open(to)) {
    if (self.told || self.closed) return {0, true};  // its handshake failed
    self.pending.insert(self.pending.end(), octets.begin(), octets.end());
    // A few octets do not hold up their sender: what it says next may be what the handshake, or the
    // STARTTLS before it, waits for.
    return {self.pending.size() > kFreelyHeld ? octets.size() : 0, false};
  }
  Sent all;
  while (!octets.empty() && !all.failed) {
    const auto slice = octets.first(std::min(octets.size(), kSlice));
    octets = octets.subspan(slice.size());
    self.channel->write(slice);
    const Sent sent = send_raw(to, self.channel->outgoing());
    self.channel->outgoing_taken();
    all.waiting += sent.waiting;
    all.failed = sent.failed;
  }
  if (all.failed) all.waiting = 0;
  return all;
}

void Interception::finish(Side to, bool truncated) {
  Leg& self = leg(to);
  if (self.closed) return;
  self.truncated = truncated;
  if (shaking_hands(to)) {
    // It has been answered, and may have something to say yet: on_opened() comes back to this.
    self.finish_wanted = true;
    return;
  }
  if (self.pending.empty() && self.will_turn && !self.told) {
    // Nobody is left to speak to it for: what it says to that is not its fault.
    if (self.channel) {
      tell_handshake(to, fmt::format("the {} closed before it was complete", to_string(other(to))));
    }
    self.told = broken_off_ = true;
  }
  if (self.channel && self.pending.empty() && !truncated) {
    self.channel->finish();
    flush(to);
  }
  if (self.raw_waiting || !self.pending.empty()) {
    self.finish_wanted = true;
  } else {
    outer().finish(to, truncated);
  }
}

/// Octets, or a FIN, that wait for a handshake or behind what TLS itself has to say.
bool Interception::holds(Side to) {
  const Leg& self = leg(to);
  if (self.closed) return false;
  const bool fin = self.finish_wanted && (!self.told || self.raw_waiting);
  return fin || !self.pending.empty() || outer().holds(to);
}

void Interception::close(Side side, bool reset) {
  Leg& self = leg(side);
  self.closed = true;
  self.pending.clear();
  outer().close(side, reset);
}

// What the watch has found.

void Interception::pass_on(Side from, std::span<const std::uint8_t> octets,
                           std::optional<std::span<const std::uint8_t>> instead) {
  FromPeer event{from, octets};
  event.instead = instead;
  event.tls = leg(from).channel != nullptr;
  tell_relay(event);
}

void Interception::keep_back(Side from, std::span<const std::uint8_t> octets) {
  Bytes bytes;
  bytes.from = from;
  bytes.head = octets;
  bytes.undelivered = true;
  record(bytes);
}

void Interception::answer_client(std::string_view reply) {
  tell_relay(ProxyReply{octets_of(reply)});
}

void Interception::on_granted() {
  for (const Side side : {Side::kClient, Side::kServer}) leg(side).will_turn = true;
  client_speaks_tls_ = true;
}

// Channels.

/// What TLS itself has to say. A peer that asks for more of it (renegotiation, which is refused
/// each time) without reading it is not listened to until it reads.
void Interception::flush(Side side) {
  Leg& self = leg(side);
  TlsChannel& channel = *self.channel;
  if (channel.outgoing().empty()) return;
  const Sent sent = send_raw(side, channel.outgoing());
  channel.outgoing_taken();
  if (sent.waiting == 0 || std::exchange(self.paused_here, true)) return;
  if (!self.paused_by_relay) outer().pause_reading(side);
}

/// Does all that the octets received make possible.
void Interception::pump(Side side) {
  Leg& self = leg(side);
  TlsChannel& channel = *self.channel;
  flush(side);
  using Stage = TlsChannel::Stage;
  if (side == Side::kClient && channel.stage() == Stage::kHello) {
    hello_at_ = now_;
    begin_server_if_due();
    if (!over()) answer_client_if_due();
    return;
  }
  if (channel.stage() == Stage::kOpen && !self.told) on_opened(side);
  while (!over() && pump_plain(side)) {
  }
  if (over()) return;
  if (self.told) tell_alerts(side);
  if (channel.stage() == Stage::kFailed && !self.told) {
    on_failed(side);
  } else if (channel.stage() == Stage::kFailed && !self.input_over && !self.closed) {
    TlsFacts facts;
    channel.describe(facts);
    const std::string why = fmt::format("TLS failed: {}", facts.failure);
    end_input(PeerClosed{side, CloseKind::kError, why});
  } else if (channel.stage() == Stage::kClosed && !self.input_over) {
    end_input(PeerClosed{side, CloseKind::kFin, {}});
  }
}

/// Hands plain octets to the relay, as much as there is or one buffer full. False: there was none.
bool Interception::pump_plain(Side side) {
  Leg& self = leg(side);
  const std::span<std::uint8_t> buffer = service_.plain_buffer();
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const std::size_t taken = self.channel->read(buffer.subspan(filled));
    if (taken == 0) break;
    filled += taken;
  }
  flush(side);
  if (filled == 0) return false;
  if (self.input_over || self.closed) return true;
  const auto plain = buffer.first(filled);
  if (watch_) {
    watch_->receive(side, plain);
  } else {
    FromPeer event{side, plain};
    event.tls = true;
    tell_relay(event);
  }
  return true;
}

void Interception::tell_alerts(Side side) {
  for (const TlsChannel::Alert& alert : leg(side).channel->take_alerts()) {
    record(TlsAlerted{alert.sent ? other(side) : side, alert.sent, alert.level, alert.description});
  }
}

}  // namespace smtpscope
