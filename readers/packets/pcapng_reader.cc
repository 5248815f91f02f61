#include "readers/packets/pcapng_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/octets.h"
#include "readers/packets/byte_order.h"

namespace smtpscope {
namespace {

constexpr std::uint32_t kSectionHeader = 0x0A0D0D0A;  // the same in either byte order
constexpr std::uint32_t kInterface = 1;
constexpr std::uint32_t kOldPacket = 2;
constexpr std::uint32_t kSimplePacket = 3;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::uint32_t kByteOrder = 0x1A2B3C4D;

constexpr std::size_t kBlockHeader = 8;    // type and length
constexpr std::size_t kBlockTrailer = 4;   // the length again
constexpr std::size_t kSectionFixed = 24;  // up to the options of a section header
constexpr std::size_t kInterfaceFixed = 16;
constexpr std::size_t kPacketFixed = 28;  // of both kinds with a time
constexpr std::size_t kSimpleFixed = 12;

/// A block that holds a packet is not much longer than that; others are passed over unread.
constexpr std::uint32_t kMaxBlock = kMaxPacket + 64 * 1024;
/// Real files have a handful.
constexpr std::size_t kMaxInterfaces = 64 * 1024;

constexpr std::uint16_t kUserApplication = 4;  // shb_userappl
constexpr std::uint16_t kTimeResolution = 9;   // if_tsresol
constexpr std::uint16_t kTimeOffset = 14;      // if_tsoffset
constexpr std::size_t kMaxWriter = 80;

/// Like pcap's 32 bits: no capture is from before 1970 or behind 2106.
constexpr std::int64_t kLatestSecond = std::int64_t{1} << 32;

WallTime wall_time(std::uint64_t ticks, std::uint64_t per_second, std::int64_t offset_seconds) {
  const std::uint64_t rest = ticks % per_second;
  constexpr std::uint64_t kNano = 1'000'000'000;
  // The product must not wrap where clocks tick faster than 18 times in a nanosecond.
  const std::uint64_t ns = per_second <= ~std::uint64_t{0} / kNano ? rest * kNano / per_second
                                                                   : rest / (per_second / kNano);
  const auto whole =
      static_cast<std::int64_t>(std::min<std::uint64_t>(ticks / per_second, kLatestSecond));
  const std::int64_t offset = std::clamp(offset_seconds, -kLatestSecond, kLatestSecond);
  const std::int64_t seconds = std::clamp<std::int64_t>(whole + offset, 0, kLatestSecond);
  return WallTime(Duration(seconds * std::int64_t{kNano} + static_cast<std::int64_t>(ns)));
}

/// if_tsresol: a power of ten, or of two if the highest bit is set.
std::uint64_t ticks_per_second(std::uint8_t resolution) {
  const std::uint8_t exponent = resolution & 0x7F;
  if ((resolution & 0x80) != 0) return std::uint64_t{1} << std::min<std::uint8_t>(exponent, 63);
  std::uint64_t ticks = 1;
  for (int i = 0; i < std::min<int>(exponent, 19); ++i) ticks *= 10;
  return ticks;
}

/// Calls `take(code, value)` for each option of a block; stops where they make no sense.
template <typename Take>
void for_each_option(std::span<const std::uint8_t> options, std::endian order, Take take) {
  while (options.size() >= 4) {
    const auto code = number_at<std::uint16_t>(options, 0, order);
    const auto length = number_at<std::uint16_t>(options, 2, order);
    options = options.subspan(4);
    if (code == 0 || length > options.size()) return;
    take(code, options.first(length));
    options = options.subspan(std::min<std::size_t>((length + 3U) & ~3U, options.size()));
  }
}

}  // namespace

bool begins_pcapng(std::span<const std::uint8_t> octets) {
  return octets.size() >= 12 &&
         number_at<std::uint32_t>(octets, 0, std::endian::little) == kSectionHeader &&
         (number_at<std::uint32_t>(octets, 8, std::endian::little) == kByteOrder ||
          number_at<std::uint32_t>(octets, 8, std::endian::big) == kByteOrder);
}

std::uint16_t PcapngReader::number16(std::span<const std::uint8_t> octets, std::size_t at) const {
  return number_at<std::uint16_t>(octets, at, order_);
}

std::uint32_t PcapngReader::number32(std::span<const std::uint8_t> octets, std::size_t at) const {
  return number_at<std::uint32_t>(octets, at, order_);
}

Result<std::unique_ptr<PacketReader>> PcapngReader::open(std::unique_ptr<OctetSource> octets) {
  std::unique_ptr<PcapngReader> reader(new PcapngReader(std::move(octets)));
  reader->writer_ = "pcapng";
  // The first block says who wrote the file.
  Packet none;
  const Result<Found> found = reader->next(none);
  if (!found) return found.error();
  if (found.value() == Found::kEnd) {
    return Error{reader->damage_.empty() ? "it ends inside its header: nothing was captured into it"
                                         : reader->damage_};
  }
  return std::unique_ptr<PacketReader>(std::move(reader));
}

PacketReader::Found PcapngReader::damaged(std::string_view what) {
  damage_ = fmt::format("it is damaged at octet {}: {}", input_.offset(), what);
  return Found::kEnd;
}

Result<PacketReader::Found> PcapngReader::next(Packet& packet) {
  if (!damage_.empty()) return Found::kEnd;
  input_.drop(taken_);
  taken_ = 0;
  if (skip_ > 0) {
    const Result<bool> filled = input_.fill(1);
    if (!filled) return filled.error();
    if (!filled.value()) return Found::kEnd;
    const auto passed = std::min<std::uint64_t>(skip_, input_.at_hand().size());
    input_.drop(static_cast<std::size_t>(passed));
    skip_ -= passed;
    return Found::kNothing;
  }

  Result<bool> filled = input_.fill(kBlockHeader + kBlockTrailer);
  if (!filled) return filled.error();
  if (!filled.value()) return Found::kEnd;
  const std::span<const std::uint8_t> head = input_.at_hand();
  const std::uint32_t type = number32(head, 0);
  if (type == kSectionHeader) {
    order_ = std::endian::little;
    if (number32(head, 8) != kByteOrder) order_ = std::endian::big;
    if (number32(head, 8) != kByteOrder) return damaged("a section begins without its byte order");
  }
  const std::uint32_t length = number32(head, 4);
  if (length < kBlockHeader + kBlockTrailer || length % 4 != 0) {
    return damaged(fmt::format("a block of {} octets is said to be there", length));
  }
  if (length > kMaxBlock) {
    if (type == kEnhancedPacket || type == kSimplePacket || type == kOldPacket) {
      return damaged(fmt::format("a packet of {} octets is said to be there", length));
    }
    skip_ = length;
    return Found::kNothing;
  }
  filled = input_.fill(length);
  if (!filled) return filled.error();
  if (!filled.value()) return Found::kEnd;
  const std::span<const std::uint8_t> block = input_.at_hand().first(length);
  if (number32(block, length - kBlockTrailer) != length) {
    return damaged("a block begins and ends with different lengths");
  }
  taken_ = length;
  return take_block(type, block.first(length - kBlockTrailer), packet);
}

PacketReader::Found PcapngReader::take_block(std::uint32_t type,
                                             std::span<const std::uint8_t> block, Packet& packet) {
  switch (type) {
    case kSectionHeader:
      begin_section(block);
      return Found::kNothing;
    case kInterface:
      if (block.size() < kInterfaceFixed) return damaged("an interface is described in no words");
      if (interfaces_.size() == kMaxInterfaces) return damaged("it has too many interfaces");
      add_interface(block);
      return Found::kNothing;
    case kEnhancedPacket:
      if (block.size() < kPacketFixed) return damaged("a packet has no header");
      return take_packet(block, number32(block, 8), number32(block, 20), packet);
    case kOldPacket:
      if (block.size() < kPacketFixed) return damaged("a packet has no header");
      return take_packet(block, number16(block, 8), number32(block, 20), packet);
    case kSimplePacket: {
      if (block.size() < kSimpleFixed) return damaged("a packet has no header");
      if (interfaces_.empty()) return damaged("a packet comes before its interface");
      const Interface& interface = interfaces_.front();
      std::size_t captured = std::min<std::size_t>(number32(block, 8), block.size() - kSimpleFixed);
      if (interface.snap_length != 0) {
        captured = std::min<std::size_t>(captured, interface.snap_length);
      }
      packet = {last_time_, interface.link, block.subspan(kSimpleFixed, captured)};
      return Found::kPacket;
    }
    default:
      return Found::kNothing;
  }
}

void PcapngReader::begin_section(std::span<const std::uint8_t> block) {
  interfaces_.clear();
  writer_ = "pcapng";
  if (block.size() < kSectionFixed) return;
  for_each_option(block.subspan(kSectionFixed), order_,
                  [&](std::uint16_t code, std::span<const std::uint8_t> value) {
                    if (code != kUserApplication) return;
                    const std::string_view name = text_of(value).substr(0, kMaxWriter);
                    writer_ = fmt::format("pcapng ({})", name);
                  });
}

void PcapngReader::add_interface(std::span<const std::uint8_t> block) {
  Interface& interface = interfaces_.emplace_back();
  interface.link = number16(block, 8);
  interface.snap_length = number32(block, 12);
  for_each_option(block.subspan(kInterfaceFixed), order_,
                  [&](std::uint16_t code, std::span<const std::uint8_t> value) {
                    if (code == kTimeResolution && value.size() == 1) {
                      interface.ticks_per_second = ticks_per_second(value[0]);
                    } else if (code == kTimeOffset && value.size() == 8) {
                      interface.offset_seconds =
                          static_cast<std::int64_t>(number_at<std::uint64_t>(value, 0, order_));
                    }
                  });
}

PacketReader::Found PcapngReader::take_packet(std::span<const std::uint8_t> block,
                                              std::uint32_t interface, std::uint32_t captured,
                                              Packet& packet) {
  if (interface >= interfaces_.size()) return damaged("a packet is of an interface not described");
  if (captured > block.size() - kPacketFixed) return damaged("a packet is longer than its block");
  const Interface& seen_on = interfaces_[interface];
  const std::uint64_t ticks =
      std::uint64_t{number32(block, 12)} << 32 | std::uint64_t{number32(block, 16)};
  last_time_ = wall_time(ticks, seen_on.ticks_per_second, seen_on.offset_seconds);
  packet = {last_time_, seen_on.link, block.subspan(kPacketFixed, captured)};
  return Found::kPacket;
}

}  // namespace smtpscope
