#include "readers/packets/tcp_connection.h"

#include <algorithm>

namespace smtpscope {

bool TcpConnection::is_succeeded_by(const TcpSegment& segment, Peer from) const {
  if (!segment.syn || segment.rst) return false;
  const TcpStream& own = stream(from);
  const bool same_number = own.known() && own.first() == segment.sequence + 1;
  if (same_number) return false;
  if (segment.ack) {
    // A server that answers a repeated SYN may choose another number.
    const bool untouched = own.edge() == 0 && !own.holds() && stream(other(from)).edge() == 0;
    return own.known() && !untouched;
  }
  // Both ends may send a SYN at once (RFC 9293 3.5); nobody does.
  return seen_[0] || seen_[1];
}

void TcpConnection::take(const TcpSegment& segment, Peer from, Time now, StreamSink& sink) {
  seen_[index(from)] = true;
  if (segment.syn) {
    stream(from).begin_at(segment.sequence + 1);
  }
  note_handshake(segment, from, now);
  TcpStream& peer = stream(other(from));
  if (segment.ack && !segment.rst) {
    if (!peer.known()) {
      peer.begin_at(segment.acknowledged);
    } else if (const std::int64_t offset = peer.offset_of(segment.acknowledged); offset > 0) {
      peer.acknowledge(static_cast<std::uint64_t>(offset));
    }
  }
  if (segment.rst) {
    flush(now, sink);
    sink.on_reset(from, now);
    return;
  }
  if (!segment.payload.empty() || segment.cut > 0 || segment.fin) {
    take_payload(segment, from, now, sink);
  }
  if (streams_[0].holds() || streams_[1].holds()) settle(now, false, sink);
}

void TcpConnection::note_handshake(const TcpSegment& segment, Peer from, Time now) {
  if (segment.syn && !segment.ack) {
    opener_ = from;
    ++syns_;
    if (!first_syn_) first_syn_ = now;
    if (!syn_ack_) last_syn_ = now;
  } else if (segment.syn) {
    if (!opener_) opener_ = other(from);
    if (!syn_ack_) syn_ack_ = now;
  } else if (syn_ack_ && !handshake_end_ && from == opener_) {
    handshake_end_ = now;
  }
}

void TcpConnection::take_payload(const TcpSegment& segment, Peer from, Time now, StreamSink& sink) {
  TcpStream& own = stream(from);
  const TcpStream& peer = stream(other(from));
  const std::uint32_t sequence = segment.sequence + (segment.syn ? 1 : 0);
  if (!own.known()) own.begin_at(sequence);
  if (closed_[index(from)]) return;

  const std::int64_t offset = own.offset_of(sequence);
  const std::uint64_t length = segment.payload.size() + segment.cut;
  const std::int64_t behind = offset + static_cast<std::int64_t>(length + (segment.fin ? 1 : 0));
  const auto edge = static_cast<std::int64_t>(own.edge());
  std::span<const std::uint8_t> octets = segment.payload;
  // A keep-alive repeats the last octet, or makes one up (RFC 9293 3.8.4).
  const bool keep_alive = length <= 1 && offset == edge - 1 && !segment.fin;
  if (offset < edge && !keep_alive) {
    const auto known = static_cast<std::size_t>(
        std::min<std::int64_t>(edge - offset, static_cast<std::int64_t>(octets.size())));
    const std::int64_t before_first = std::max<std::int64_t>(0, -offset);
    if (before_first < static_cast<std::int64_t>(known)) {
      const auto skip = static_cast<std::size_t>(before_first);
      if (own.recent().contradict(octets.first(known).subspan(skip),
                                  static_cast<std::uint64_t>(offset + before_first))) {
        sink.on_contradiction(from, now);
      }
    }
    octets = octets.subspan(known);
  }
  if (behind <= edge) return;

  const auto begin = static_cast<std::uint64_t>(std::max(offset, edge));
  const auto end = static_cast<std::uint64_t>(behind);
  std::uint64_t needs = 0;
  if (segment.ack && peer.known()) {
    const std::int64_t had_seen = peer.offset_of(segment.acknowledged);
    needs = had_seen > 0 ? static_cast<std::uint64_t>(had_seen) : 0;
  }
  if (!own.holds() && may_go(from, begin, needs)) {
    deliver(from, begin, end, octets, segment.fin, now, sink);
  } else if (!own.hold(begin, end, octets, segment.fin, needs, now)) {
    sink.on_contradiction(from, now);
  }
}

bool TcpConnection::may_go(Peer from, std::uint64_t begin, std::uint64_t needs) const {
  return begin <= stream(from).edge() && needs <= stream(other(from)).edge();
}

/// `octets` may be fewer than [begin, end): the rest was cut, but for the FIN's position.
void TcpConnection::deliver(Peer from, std::uint64_t begin, std::uint64_t end,
                            std::span<const std::uint8_t> octets, bool fin, Time time,
                            StreamSink& sink) {
  TcpStream& own = stream(from);
  own.advance(end);
  if (!octets.empty()) {
    own.recent().add(octets, begin + octets.size());
    sink.on_octets(from, time, octets);
  }
  const std::uint64_t cut = end - begin - octets.size() - (fin ? 1 : 0);
  if (cut > 0) sink.on_missing(from, time, cut, true);
  if (fin) {
    closed_[index(from)] = true;
    sink.on_fin(from, time);
  }
}

/// Delivers what can go, and gives up what nobody will bring any more.
void TcpConnection::settle(Time now, bool at_end, StreamSink& sink) {
  bool going = true;
  while (going) {
    going = false;
    // The older packet first, so that the directions stay in the order of the capture.
    std::array<Peer, 2> order = {Peer::kLower, Peer::kHigher};
    if (streams_[0].holds() && streams_[1].holds() &&
        streams_[1].first_piece().arrived < streams_[0].first_piece().arrived) {
      std::swap(order[0], order[1]);
    }
    for (const Peer peer : order) {
      if (deliver_held(peer, sink)) {
        going = true;
        break;
      }
    }
    if (going) continue;
    for (const Peer peer : order) {
      if (give_up(peer, now, at_end, sink)) {
        going = true;
        break;
      }
    }
  }
}

bool TcpConnection::deliver_held(Peer from, StreamSink& sink) {
  const TcpStream& own = stream(from);
  if (!own.holds() || !may_go(from, own.first_held(), own.first_piece().needs)) return false;
  deliver_first(from, sink);
  return true;
}

void TcpConnection::deliver_first(Peer from, StreamSink& sink) {
  TcpStream& own = stream(from);
  const std::uint64_t begin = own.first_held();
  const HeldPiece piece = own.take_first();
  deliver(from, begin, piece.end, piece.octets, piece.fin, piece.arrived, sink);
}

/// The first piece that waits has waited long enough: what it waits for is missing.
bool TcpConnection::give_up(Peer from, Time now, bool at_end, StreamSink& sink) {
  TcpStream& own = stream(from);
  if (!own.holds()) return false;
  const HeldPiece& piece = own.first_piece();
  const Duration waited = now - piece.arrived;
  const bool too_much = own.holds_too_much();
  if (own.first_held() > own.edge()) {
    const bool acknowledged = own.acknowledged() > own.edge();
    if (!at_end && !too_much && waited < (acknowledged ? kReorder : kRetransmit)) return false;
    miss(from, own.first_held(), piece.arrived, sink);
    return true;
  }
  // It goes behind octets of the other side that are not here.
  if (!at_end && !too_much && waited < kReorder) return false;
  const TcpStream& peer = stream(other(from));
  const std::uint64_t up_to = peer.holds() ? std::min(peer.first_held(), piece.needs) : piece.needs;
  if (up_to > peer.edge()) {
    miss(other(from), up_to, piece.arrived, sink);
  } else {
    // Each side claims to have seen what the other says next: one of them is not to be believed.
    deliver_first(from, sink);
  }
  return true;
}

void TcpConnection::miss(Peer from, std::uint64_t up_to, Time time, StreamSink& sink) {
  TcpStream& own = stream(from);
  const std::uint64_t octets = up_to - own.edge();
  own.advance(up_to);
  sink.on_missing(from, time, octets, false);
}

void TcpConnection::flush(Time now, StreamSink& sink) {
  if (streams_[0].holds() || streams_[1].holds()) settle(now, true, sink);
}

}  // namespace smtpscope
