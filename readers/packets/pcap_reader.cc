#include "readers/packets/pcap_reader.h"

#include <fmt/format.h>

#include "readers/packets/byte_order.h"

namespace smtpscope {
namespace {

constexpr std::size_t kFileHeader = 24;
constexpr std::uint32_t kMicroseconds = 0xA1B2C3D4;
constexpr std::uint32_t kNanoseconds = 0xA1B23C4D;
/// Kuznetzov's tcpdump of the nineties: eight more octets in front of each packet.
constexpr std::uint32_t kModified = 0xA1B2CD34;

bool is_magic(std::uint32_t number) {
  return number == kMicroseconds || number == kNanoseconds || number == kModified;
}

}  // namespace

bool begins_pcap(std::span<const std::uint8_t> octets) {
  return octets.size() >= 4 &&
         (is_magic(number_at<std::uint32_t>(octets, 0, std::endian::little)) ||
          is_magic(number_at<std::uint32_t>(octets, 0, std::endian::big)));
}

Result<std::unique_ptr<PacketReader>> PcapReader::open(std::unique_ptr<OctetSource> octets) {
  std::unique_ptr<PcapReader> reader(new PcapReader(std::move(octets)));
  const Result<bool> filled = reader->input_.fill(kFileHeader);
  if (!filled) return filled.error();
  if (!filled.value()) return Error{"it ends inside its header: nothing was captured into it"};
  const std::span<const std::uint8_t> header = reader->input_.at_hand();
  reader->order_ = is_magic(number_at<std::uint32_t>(header, 0, std::endian::little))
                       ? std::endian::little
                       : std::endian::big;
  const auto magic = number_at<std::uint32_t>(header, 0, reader->order_);
  reader->nanoseconds_ = magic == kNanoseconds;
  if (magic == kModified) reader->record_header_ = 24;
  // The upper bits tell of a frame check sequence.
  reader->link_ = number_at<std::uint32_t>(header, 20, reader->order_) & 0xFFFF;
  reader->writer_ = "pcap";
  reader->input_.drop(kFileHeader);
  return std::unique_ptr<PacketReader>(std::move(reader));
}

Result<PacketReader::Found> PcapReader::next(Packet& packet) {
  if (!damage_.empty()) return Found::kEnd;
  input_.drop(taken_);
  taken_ = 0;
  Result<bool> filled = input_.fill(record_header_);
  if (!filled) return filled.error();
  if (!filled.value()) return Found::kEnd;
  const auto length = number_at<std::uint32_t>(input_.at_hand(), 8, order_);
  if (length > kMaxPacket) {
    damage_ = fmt::format("it is damaged at octet {}: a packet of {} octets is said to be there",
                          input_.offset(), length);
    return Found::kEnd;
  }
  filled = input_.fill(record_header_ + length);
  if (!filled) return filled.error();
  if (!filled.value()) return Found::kEnd;

  const std::span<const std::uint8_t> record = input_.at_hand().first(record_header_ + length);
  const std::int64_t seconds = number_at<std::uint32_t>(record, 0, order_);
  const std::int64_t fraction = number_at<std::uint32_t>(record, 4, order_);
  packet.time = WallTime(Duration(seconds * 1'000'000'000 + fraction * (nanoseconds_ ? 1 : 1000)));
  packet.link = link_;
  packet.octets = record.subspan(record_header_);
  taken_ = record.size();
  return Found::kPacket;
}

}  // namespace smtpscope
