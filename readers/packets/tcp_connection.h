#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/time.h"
#include "readers/packets/tcp_segment.h"
#include "readers/packets/tcp_stream.h"

namespace smtpscope {

/// The two ends of a connection, before it is known which is the client: the one with the smaller
/// address and port, and the other.
enum class Peer : std::uint8_t { kLower, kHigher };
constexpr Peer other(Peer peer) { return peer == Peer::kLower ? Peer::kHigher : Peer::kLower; }
constexpr std::size_t index(Peer peer) { return static_cast<std::size_t>(peer); }

/// Takes what the two ends of a connection said, in an order in which it can have happened.
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  /// `time` is that of the packet; it may step back, because a capture's clock does.
  virtual void on_octets(Peer from, Time time, std::span<const std::uint8_t> octets) = 0;
  /// `octets` of the stream are not in the capture; `cut`: its packets were shortened.
  virtual void on_missing(Peer from, Time time, std::uint64_t octets, bool cut) = 0;
  virtual void on_fin(Peer from, Time time) = 0;
  virtual void on_reset(Peer from, Time time) = 0;
  /// `from` sent octets again that were others than the first time; the first stand.
  virtual void on_contradiction(Peer from, Time time) = 0;
};

/// Puts the segments of one TCP connection into order: retransmissions and overlaps are dropped
/// (the first arrival wins), what comes too soon waits, and what never comes is told as missing.
///
/// The two directions are kept in step: octets whose sender had already seen octets of the other
/// side that are not here yet wait for those. Captures show packets in a slightly other order than
/// they came (several queues of a network card, several processors), and a reply must not appear
/// before its command.
///
/// What is missing is known to be so when the other side has acknowledged it and kReorder has
/// passed; or, unacknowledged, after kRetransmit; or when too much waits for it. Bounded by
/// TcpStream's limits. Not thread-safe.
class TcpConnection {
 public:
  /// Loopback stamps step back by some 100 us, network cards with several queues by milliseconds.
  static constexpr Duration kReorder = std::chrono::milliseconds(50);
  /// RFC 9293 3.8.3 lets a sender try for 100 s at least.
  static constexpr Duration kRetransmit = std::chrono::seconds(120);

  /// `segment` belongs to this connection and comes from `from`.
  void take(const TcpSegment& segment, Peer from, Time now, StreamSink& sink);
  /// Nothing more comes: delivers what waits, and tells what is missing before it.
  void flush(Time now, StreamSink& sink);

  /// Nobody listens any more: keeps only what is_succeeded_by() needs. No take() after this.
  void close() {
    for (TcpStream& each : streams_) each.close();
  }

  /// `segment` is the SYN of another connection that has the same addresses and ports.
  bool is_succeeded_by(const TcpSegment& segment, Peer from) const;

  /// Who opened the connection, as far as SYNs tell.
  std::optional<Peer> opener() const { return opener_; }
  /// A packet from this end was seen.
  bool seen(Peer peer) const { return seen_[index(peer)]; }
  /// A SYN was seen: the streams are here from their beginning.
  bool from_beginning() const { return opener_.has_value(); }
  std::uint32_t syns() const { return syns_; }
  std::optional<Time> first_syn() const { return first_syn_; }
  std::optional<Time> last_syn() const { return last_syn_; }
  std::optional<Time> syn_ack() const { return syn_ack_; }
  /// When the opener's first answer to SYN/ACK was seen.
  std::optional<Time> handshake_end() const { return handshake_end_; }

 private:
  TcpStream& stream(Peer peer) { return streams_[index(peer)]; }
  const TcpStream& stream(Peer peer) const { return streams_[index(peer)]; }

  void note_handshake(const TcpSegment& segment, Peer from, Time now);
  void take_payload(const TcpSegment& segment, Peer from, Time now, StreamSink& sink);
  void deliver(Peer from, std::uint64_t begin, std::uint64_t end,
               std::span<const std::uint8_t> octets, bool fin, Time time, StreamSink& sink);
  bool may_go(Peer from, std::uint64_t begin, std::uint64_t needs) const;
  void settle(Time now, bool at_end, StreamSink& sink);
  void deliver_first(Peer from, StreamSink& sink);
  bool deliver_held(Peer from, StreamSink& sink);
  bool give_up(Peer from, Time now, bool at_end, StreamSink& sink);
  void miss(Peer from, std::uint64_t up_to, Time time, StreamSink& sink);

  std::array<TcpStream, 2> streams_;
  std::array<bool, 2> seen_{};
  std::array<bool, 2> closed_{};  // its FIN is delivered
  std::optional<Peer> opener_;
  std::uint32_t syns_ = 0;
  std::optional<Time> first_syn_, last_syn_, syn_ack_, handshake_end_;
};

}  // namespace smtpscope
