#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "readers/input_buffer.h"
#include "readers/packets/packet_reader.h"

namespace smtpscope {

/// The octets begin a pcapng file (draft-ietf-opsawg-pcapng).
bool begins_pcapng(std::span<const std::uint8_t> octets);

/// Reads pcapng, the format of Wireshark and dumpcap: several sections, interfaces with link types
/// and clocks of their own. Not thread-safe.
class PcapngReader : public PacketReader {
 public:
  static Result<std::unique_ptr<PacketReader>> open(std::unique_ptr<OctetSource> octets);

  Result<Found> next(Packet& packet) override;
  bool cut() const override { return damage_.empty() && input_.at_hand().size() > taken_; }

 private:
  /// An interface of the section (Interface Description Block).
  struct Interface {
    std::uint32_t link = 0;
    std::uint32_t snap_length = 0;  // 0: none
    std::uint64_t ticks_per_second = 1'000'000;
    std::int64_t offset_seconds = 0;
  };

  explicit PcapngReader(std::unique_ptr<OctetSource> octets) : input_(std::move(octets)) {}

  Found take_block(std::uint32_t type, std::span<const std::uint8_t> block, Packet& packet);
  void begin_section(std::span<const std::uint8_t> block);
  void add_interface(std::span<const std::uint8_t> block);
  Found take_packet(std::span<const std::uint8_t> block, std::uint32_t interface,
                    std::uint32_t captured, Packet& packet);
  Found damaged(std::string_view what);
  std::uint16_t number16(std::span<const std::uint8_t> octets, std::size_t at) const;
  std::uint32_t number32(std::span<const std::uint8_t> octets, std::size_t at) const;

  InputBuffer input_;
  std::endian order_ = std::endian::little;
  std::vector<Interface> interfaces_;
  WallTime last_time_{};
  std::size_t taken_ = 0;   // of what is at hand: the block given last
  std::uint64_t skip_ = 0;  // octets of a block too long to keep
};

}  // namespace smtpscope
