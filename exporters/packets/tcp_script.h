#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/side.h"
#include "exporters/packets/tcp_packets.h"

namespace smtpscope {

/// What is to happen on a TCP connection, as long as it may yet be changed: sequence numbers are
/// given when it is made a packet, so octets that are taken out leave no hole. A value.
struct TcpStep {
  enum class Kind : std::uint8_t {
    kSyn,
    kSynAck,
    kEstablished,
    kOctets,
    kSkip,  // octets that nobody has
    kFin,
    kReset,
  };

  Kind kind = Kind::kOctets;
  Side from = Side::kClient;
  std::uint64_t begin = 0;  // kOctets, kSkip: where in the session's octets of that side
  std::uint64_t end = 0;
  std::string octets;        // at most TcpPackets::kMostPayload, with `missing`
  std::size_t missing = 0;   // octets behind them that the capture left out
  bool undelivered = false;  // they went nowhere
  bool taken_out = false;    // no packet comes of it

  bool makes_packet() const { return !taken_out && kind != Kind::kSkip; }
  /// Takes out those of its octets that lie in the range; once.
  void take_out(std::uint64_t from_octet, std::uint64_t to_octet);
  /// The packets, with an acknowledgement of the other side where one is due.
  std::vector<TcpPacket> play(TcpPackets& packets) const;
};

}  // namespace smtpscope
