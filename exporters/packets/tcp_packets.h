#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/side.h"
#include "capture/wire_event.h"

namespace smtpscope {

/// An address as packets carry it.
struct PacketAddress {
  std::string octets;  // 4 or 16
  std::uint16_t port = 0;

  /// "192.0.2.10:50114", "[2001:db8::1]:50114". False where it is none, such as "unix:…".
  static bool read(std::string_view text, PacketAddress& into);
};

/// A packet, and how long it was: what the capture left out is missing at its end.
struct TcpPacket {
  std::string octets;
  std::size_t original_length = 0;
  Side from = Side::kClient;
};

/// Makes of one session the packets of a TCP connection between the client and the server, with
/// valid lengths, numbers and checksums. Sequence numbers follow the octets of the session, so
/// what is missing in the capture is missing in the packets. A value.
class TcpPackets {
 public:
  /// Octets that fit one packet: an IPv4 length has 16 bits.
  static constexpr std::size_t kMostPayload = 65535 - 20 - 32;
  /// So much may be under way unacknowledged; see acknowledge().
  static constexpr std::uint64_t kWindow = std::uint64_t{1} << 28;

  /// What is no address of IP, or of another version than the client's, is given a made-up one;
  /// see made_up().
  TcpPackets(std::string_view client, std::string_view server, std::string_view listener,
             SessionId session);

  bool made_up() const { return made_up_; }

  TcpPacket syn();
  TcpPacket syn_ack();
  TcpPacket established();
  /// At most kMostPayload octets of which the first are there.
  TcpPacket data(Side from, std::string_view octets, std::size_t octets_on_wire);
  /// Octets that nobody has.
  void skip(Side from, std::uint64_t octets);
  TcpPacket fin(Side from);
  TcpPacket reset(Side from);
  /// The other side says that it has all up to here, where too much would be under way else.
  bool must_acknowledge(Side from) const;
  TcpPacket acknowledge(Side from);

  std::uint64_t sent(Side from) const { return sides_[index(from)].sent; }

 private:
  struct End {
    PacketAddress address;
    std::uint64_t sent = 0;          // octets of its stream
    std::uint64_t acknowledged = 0;  // of them, by the other
    bool finished = false;
    std::uint16_t packets = 0;  // for the IP identification
  };

  TcpPacket packet(Side from, std::uint8_t flags, std::string_view payload, std::size_t on_wire,
                   bool begins);
  std::uint32_t sequence(Side side) const;

  std::array<End, 2> sides_;  // by index(Side)
  bool made_up_ = false;
};

}  // namespace smtpscope
