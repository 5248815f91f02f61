#include "exporters/packets/tcp_script.h"

#include <algorithm>

namespace smtpscope {

void TcpStep::take_out(std::uint64_t from_octet, std::uint64_t to_octet) {
  const std::uint64_t first = std::max(from_octet, begin);
  const std::uint64_t last = std::min(to_octet, begin + octets.size());
  if (kind != Kind::kOctets || first >= last) return;
  octets.erase(static_cast<std::size_t>(first - begin), static_cast<std::size_t>(last - first));
  taken_out = octets.empty() && missing == 0;
}

std::vector<TcpPacket> TcpStep::play(TcpPackets& packets) const {
  if (taken_out) return {};
  switch (kind) {
    case Kind::kSyn:
      return {packets.syn()};
    case Kind::kSynAck:
      return {packets.syn_ack()};
    case Kind::kEstablished:
      return {packets.established()};
    case Kind::kFin:
      return {packets.fin(from)};
    case Kind::kReset:
      return {packets.reset(from)};
    case Kind::kSkip:
      packets.skip(from, end - begin);
      return {};
    case Kind::kOctets:
      break;
  }
  std::vector<TcpPacket> made = {packets.data(from, octets, octets.size() + missing)};
  if (packets.must_acknowledge(from)) made.push_back(packets.acknowledge(from));
  return made;
}

}  // namespace smtpscope
