#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace smtpscope {

/// A packet as a capture file holds it. Valid until the reader is asked again.
struct Packet {
  WallTime time;
  std::uint32_t link = 0;  // LINKTYPE_… of the interface that it was seen on
  std::span<const std::uint8_t> octets;
};

/// Takes packets out of one file format. What is damaged ends the file: behind a record of unknown
/// length nothing can be found. Not thread-safe.
///
/// These formats are read here and not by libpcap because libpcap refuses pcapng files with
/// interfaces of several link types, hides who wrote the file, cannot go on after the end of a
/// file that grows, and copies each packet.
class PacketReader {
 public:
  enum class Found : std::uint8_t {
    kPacket,
    kNothing,  // a record without a packet was passed
    kEnd,      // of the file as it is now
  };

  virtual ~PacketReader() = default;
  virtual Result<Found> next(Packet& packet) = 0;

  /// Octets of a record that is not whole are at hand.
  virtual bool cut() const = 0;
  /// What is wrong with the file, in words; "" if nothing was up to now.
  const std::string& damage() const { return damage_; }
  /// The format, and the program that wrote the file if it says so: "pcapng (Dumpcap 4.0)".
  const std::string& writer() const { return writer_; }

 protected:
  std::string damage_;
  std::string writer_;
};

/// The longest packet that is believed; tcpdump's default snaplen is 256 KiB, and what Linux puts
/// together for IPv6 (BIG TCP) stays below 512 KiB.
inline constexpr std::uint32_t kMaxPacket = 2 * 1024 * 1024;

}  // namespace smtpscope
