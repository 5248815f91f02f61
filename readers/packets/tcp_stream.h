#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/time.h"
#include "readers/packets/tcp_segment.h"

namespace smtpscope {

/// The last octets that a direction has delivered, to compare with what is sent again. Most
/// retransmissions concern the last segment or two. Allocates when first used.
class RecentOctets {
 public:
  static constexpr std::size_t kKept = 1024;

  /// `octets` end at stream offset `end`.
  void add(std::span<const std::uint8_t> octets, std::uint64_t end);
  /// `octets`, at stream offset `begin`, contradict what was delivered there, as far as it is kept.
  bool contradict(std::span<const std::uint8_t> octets, std::uint64_t begin) const;

 private:
  std::vector<std::uint8_t> octets_;  // a ring; the octet at stream offset n is at n % kKept
  std::uint64_t begin_ = 0;           // stream offsets [begin_, end_) are kept
  std::uint64_t end_ = 0;
};

/// Octets that cannot be delivered yet.
struct HeldPiece {
  std::uint64_t end = 0;             // the begin is the key
  std::vector<std::uint8_t> octets;  // fewer than the range: the rest was cut when captured
  bool fin = false;                  // the last position of the range is the FIN's
  std::uint64_t needs = 0;  // stream offset of the other direction that its sender had seen
  Time arrived;             // of its packet
};

/// One direction of a TCP connection as a reader sees it: 64-bit stream offsets for its sequence
/// numbers, where delivery stands, and what waits because something before it is missing. A FIN
/// takes one position. Its TcpConnection decides what is delivered when. Not thread-safe.
class TcpStream {
 public:
  /// What one direction may hold. A window scaled to the utmost is larger, but no mail client's.
  static constexpr std::size_t kMaxHeldOctets = std::size_t{2} * 1024 * 1024;
  static constexpr std::size_t kMaxHeldPieces = 4096;

  bool known() const { return known_; }
  /// The sequence number of the first octet.
  void begin_at(std::uint32_t sequence) {
    known_ = true;
    first_ = sequence;
  }
  std::uint32_t first() const { return first_; }

  /// The stream offset of a sequence number near to where delivery stands; negative: before the
  /// first octet. Sequence numbers wrap (RFC 9293 3.4).
  std::int64_t offset_of(std::uint32_t sequence) const {
    const auto distance =
        static_cast<std::int32_t>(sequence - (first_ + static_cast<std::uint32_t>(edge_)));
    return static_cast<std::int64_t>(edge_) + distance;
  }

  /// Everything before is delivered, or known to be missing.
  std::uint64_t edge() const { return edge_; }
  void advance(std::uint64_t to) { edge_ = to; }

  /// The other direction has acknowledged up to here.
  std::uint64_t acknowledged() const { return acknowledged_; }
  void acknowledge(std::uint64_t up_to) {
    if (up_to > acknowledged_) acknowledged_ = up_to;
  }

  RecentOctets& recent() { return recent_; }
  /// Nothing is delivered any more: gives back what memory it has.
  void close() {
    recent_ = {};
    held_.reset();
  }

  /// Keeps what of [begin, end) is not held yet; the first arrival wins. False when it contradicts
  /// what is held.
  bool hold(std::uint64_t begin, std::uint64_t end, std::span<const std::uint8_t> octets, bool fin,
            std::uint64_t needs, Time now);
  bool holds() const { return held_ != nullptr && !held_->pieces.empty(); }
  bool holds_too_much() const {
    return held_->octets > kMaxHeldOctets || held_->pieces.size() > kMaxHeldPieces;
  }
  std::uint64_t first_held() const { return held_->pieces.begin()->first; }
  const HeldPiece& first_piece() const { return held_->pieces.begin()->second; }
  HeldPiece take_first();

 private:
  struct Held {
    std::map<std::uint64_t, HeldPiece> pieces;  // by stream offset, without overlap
    std::size_t octets = 0;
  };

  bool known_ = false;
  std::uint32_t first_ = 0;
  std::uint64_t edge_ = 0;
  std::uint64_t acknowledged_ = 0;
  RecentOctets recent_;
  std::unique_ptr<Held> held_;  // nullptr until needed
};

}  // namespace smtpscope
