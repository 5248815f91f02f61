#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <span>

#include "readers/input_buffer.h"
#include "readers/packets/packet_reader.h"

namespace smtpscope {

/// The octets begin a pcap file (draft-ietf-opsawg-pcap), of either byte order, with micro- or
/// nanoseconds.
bool begins_pcap(std::span<const std::uint8_t> octets);

/// Reads pcap, the format of `tcpdump -w`. Not thread-safe.
class PcapReader : public PacketReader {
 public:
  static Result<std::unique_ptr<PacketReader>> open(std::unique_ptr<OctetSource> octets);

  Result<Found> next(Packet& packet) override;
  bool cut() const override { return damage_.empty() && !at_packet_end(); }

 private:
  explicit PcapReader(std::unique_ptr<OctetSource> octets) : input_(std::move(octets)) {}

  bool at_packet_end() const { return input_.at_hand().size() <= taken_; }

  InputBuffer input_;
  std::endian order_ = std::endian::little;
  bool nanoseconds_ = false;
  std::size_t record_header_ = 16;
  std::uint32_t link_ = 0;
  std::size_t taken_ = 0;  // of what is at hand: the packet given last
};

}  // namespace smtpscope
