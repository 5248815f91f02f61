#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/side.h"
#include "capture/wire_source.h"

namespace smtpscope::test {

/// Who sends a packet: scripts are lists of these.
inline constexpr Side C = Side::kClient;
inline constexpr Side S = Side::kServer;

/// A number as it stands on the wire, most significant octet first, and the other way round.
std::string big(std::uint64_t value, std::size_t octets);
std::string little(std::uint64_t value, std::size_t octets);

/// The fields of a TCP segment that tests want to choose.
struct Segment {
  Side from = Side::kClient;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledged = 0;
  std::string flags = "A";  // of "SAFR"
  std::string payload;
};

/// Addresses of a connection.
struct Ends {
  std::string client = "192.0.2.1";
  std::string server = "198.51.100.7";
  std::uint16_t client_port = 40000;
  std::uint16_t server_port = 25;
};

/// Packets, from the inside out.
std::string tcp(const Segment& segment, const Ends& ends);
std::string ipv4(const std::string& payload, const Ends& ends, Side from,
                 std::uint16_t fragment_field = 0, std::uint16_t id = 1, std::uint8_t protocol = 6);
std::string ipv6(const std::string& payload, const Ends& ends, Side from,
                 const std::string& extensions = {}, std::uint8_t first_header = 6);
/// Padded to 60 octets, as short frames are.
std::string ethernet(const std::string& payload, std::uint16_t type = 0x0800);

/// A pcap file in the making. Times are in microseconds since its first second.
class Pcap {
 public:
  struct Shape {
    bool big_endian = false;
    bool nanoseconds = false;
    std::uint32_t link = 1;
  };
  Pcap() : Pcap(Shape{}) {}
  explicit Pcap(Shape shape);

  Pcap& add(std::int64_t us, const std::string& frame, std::size_t snap_length = 65535);
  const std::string& octets() const { return octets_; }

 private:
  std::string number(std::uint64_t value, std::size_t octets) const;

  Shape shape_;
  std::string octets_;
};

/// A TCP connection whose packets go into a file, each a millisecond after the one before. It
/// counts the sequence numbers; what is odd the test does by hand.
class Talk {
 public:
  Talk(Pcap& file, Ends ends = {}, std::uint32_t client_first = 1000,
       std::uint32_t server_first = 5000)
      : file_(file), ends_(std::move(ends)), next_{client_first, server_first} {}

  Talk& handshake();
  Talk& client(const std::string& text) { return say(Side::kClient, text); }
  Talk& server(const std::string& text) { return say(Side::kServer, text); }
  /// Nothing of it gets into the file.
  Talk& lost(Side from, const std::string& text);
  Talk& fin(Side from);
  Talk& reset(Side from);
  Talk& close() { return fin(Side::kClient).fin(Side::kServer); }
  /// A packet that does not move the sequence numbers.
  Talk& raw(const Segment& segment);
  Talk& say(Side from, const std::string& text);
  Talk& wait(std::int64_t us) {
    now_ += us;
    return *this;
  }

  std::uint32_t next(Side from) const { return next_[index(from)]; }
  /// The frame of a segment of this connection.
  std::string frame(const Segment& segment) const;
  std::int64_t now() const { return now_; }

 private:
  Pcap& file_;
  Ends ends_;
  std::uint32_t next_[2];
  std::int64_t now_ = 0;
};

/// A greeting, a hello and a farewell.
void short_session(Talk& talk);

/// What a source makes of a file, a line per event, and what it tells about it.
struct Seen {
  std::vector<std::string> events;  // "1 open …", "1 C EHLO x\r\n", "1 gap S 14", "1 end"
  std::vector<SourceNotice> notices;
  RunInfo run;

  /// The lines of one session, without its number.
  std::vector<std::string> session(int number) const;
  /// What one side of a session has said.
  std::string stream(int session, Side from) const;
  bool told(std::string_view words) const;
};
Seen see(const std::string& file, std::vector<std::uint16_t> ports = {});

}  // namespace smtpscope::test
