#include "tests/readers/packet_kit.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <stdexcept>
#include <type_traits>

#include "base/octets.h"
#include "readers/packets/packet_source.h"
#include "readers/packets/pcap_reader.h"
#include "readers/packets/pcapng_reader.h"
#include "tests/readers/memory_octets.h"

namespace smtpscope::test {
namespace {

std::string address(const std::string& text) {
  char octets[16];
  const bool v6 = text.find(':') != std::string::npos;
  if (inet_pton(v6 ? AF_INET6 : AF_INET, text.c_str(), octets) != 1) {
    throw std::runtime_error("no address: " + text);
  }
  return {octets, v6 ? std::size_t{16} : std::size_t{4}};
}

const std::string& from_address(const Ends& ends, Side from) {
  return from == Side::kClient ? ends.client : ends.server;
}

class Writer : public WireSink {
 public:
  explicit Writer(std::vector<std::string>& lines) : lines_(lines) {}

  void on_wire(const WireEvent& event) override {
    std::string line = std::to_string(event.session) + " ";
    const auto [last, first] = last_.try_emplace(event.session, ns_of(event.time));
    if (!first && ns_of(event.time) < last->second) line += "EARLIER ";
    last->second = ns_of(event.time);
    std::visit([&](const auto& body) { describe(body, line); }, event.body);
    lines_.push_back(std::move(line));
  }

 private:
  static std::string letter(Side side) { return side == Side::kClient ? "C" : "S"; }

  static void describe(const SessionOpened& opened, std::string& line) {
    line += "open ";
    line.append(opened.client).append(" > ").append(opened.listener);
    if (opened.upstream != opened.listener) line.append(" for ").append(opened.upstream);
    if (opened.mid_session) line += " mid";
  }
  static void describe(const UpstreamConnected& connected, std::string& line) {
    line += "connected in " + std::to_string(connected.took.count() / 1000) + " us";
  }
  static void describe(const UpstreamFailed& failed, std::string& line) {
    line.append("failed: ").append(failed.reason);
  }
  static void describe(const Bytes& bytes, std::string& line) {
    line += letter(bytes.from) + " ";
    line.append(text_of(bytes.head));
  }
  static void describe(const Gap& gap, std::string& line) {
    line += "gap " + (gap.from ? letter(*gap.from) : "?") + " " + std::to_string(gap.octets);
  }
  static void describe(const Closed& closed, std::string& line) {
    line += "close " + letter(closed.from) + " ";
    line.append(to_string(closed.kind));
  }
  static void describe(const SessionEnded&, std::string& line) { line += "end"; }
  template <typename Other>
  static void describe(const Other&, std::string&) {
    static_assert(std::is_same_v<Other, Blocked> || std::is_same_v<Other, ProxyStalled> ||
                  std::is_same_v<Other, TlsHandshake> || std::is_same_v<Other, TlsAlerted> ||
                  std::is_same_v<Other, Remark> || std::is_same_v<Other, TcpReport>);
    throw std::runtime_error("packets do not tell this");
  }

  std::vector<std::string>& lines_;
  std::map<SessionId, std::int64_t> last_;  // a session may be earlier than the one before it
};

}  // namespace

std::string big(std::uint64_t value, std::size_t octets) {
  std::string text = little(value, octets);
  std::ranges::reverse(text);
  return text;
}

std::string little(std::uint64_t value, std::size_t octets) {
  std::string text;
  // Beyond the number there are noughts: a shift by all of its bits means nothing.
  for (std::size_t i = 0; i < octets; ++i, value >>= 8) text += static_cast<char>(value & 0xFF);
  return text;
}

std::string tcp(const Segment& segment, const Ends& ends) {
  std::uint8_t flags = 0;
  for (const char flag : segment.flags) {
    flags |= static_cast<std::uint8_t>(flag == 'F' ? 1 : flag == 'S' ? 2 : flag == 'R' ? 4 : 16);
  }
  const bool client = segment.from == Side::kClient;
  return big(client ? ends.client_port : ends.server_port, 2) +
         big(client ? ends.server_port : ends.client_port, 2) + big(segment.sequence, 4) +
         big(segment.acknowledged, 4) + big(0x50, 1) + big(flags, 1) + big(65535, 2) + big(0, 4) +
         segment.payload;
}

std::string ipv4(const std::string& payload, const Ends& ends, Side from,
                 std::uint16_t fragment_field, std::uint16_t id, std::uint8_t protocol) {
  return big(0x4500, 2) + big(20 + payload.size(), 2) + big(id, 2) + big(fragment_field, 2) +
         big(64, 1) + big(protocol, 1) + big(0, 2) + address(from_address(ends, from)) +
         address(from_address(ends, other(from))) + payload;
}

std::string ipv6(const std::string& payload, const Ends& ends, Side from,
                 const std::string& extensions, std::uint8_t first_header) {
  return big(0x60000000, 4) + big(extensions.size() + payload.size(), 2) + big(first_header, 1) +
         big(64, 1) + address(from_address(ends, from)) + address(from_address(ends, other(from))) +
         extensions + payload;
}

std::string ethernet(const std::string& payload, std::uint16_t type) {
  std::string frame = std::string(12, '\x02') + big(type, 2) + payload;
  if (frame.size() < 60) frame.resize(60, '\0');
  return frame;
}

Pcap::Pcap(Shape shape) : shape_(shape) {
  octets_ = number(shape.nanoseconds ? 0xA1B23C4D : 0xA1B2C3D4, 4) + number(2, 2) + number(4, 2) +
            number(0, 8) + number(262144, 4) + number(shape.link, 4);
}

std::string Pcap::number(std::uint64_t value, std::size_t octets) const {
  return shape_.big_endian ? big(value, octets) : little(value, octets);
}

Pcap& Pcap::add(std::int64_t us, const std::string& frame, std::size_t snap_length) {
  const auto fraction = static_cast<std::uint64_t>(us % 1'000'000);
  octets_ += number(1'700'000'000 + static_cast<std::uint64_t>(us / 1'000'000), 4) +
             number(shape_.nanoseconds ? fraction * 1000 : fraction, 4) +
             number(std::min(frame.size(), snap_length), 4) + number(frame.size(), 4) +
             frame.substr(0, snap_length);
  return *this;
}

std::string Talk::frame(const Segment& segment) const {
  const bool v6 = ends_.client.find(':') != std::string::npos;
  const std::string inner = tcp(segment, ends_);
  return v6 ? ethernet(ipv6(inner, ends_, segment.from), 0x86DD)
            : ethernet(ipv4(inner, ends_, segment.from));
}

Talk& Talk::raw(const Segment& segment) {
  file_.add(now_, frame(segment));
  now_ += 1000;
  return *this;
}

Talk& Talk::handshake() {
  raw({Side::kClient, next_[0] - 1, 0, "S", {}});
  raw({Side::kServer, next_[1] - 1, next_[0], "SA", {}});
  return raw({Side::kClient, next_[0], next_[1], "A", {}});
}

Talk& Talk::say(Side from, const std::string& text) {
  raw({from, next(from), next(other(from)), "A", text});
  next_[index(from)] += static_cast<std::uint32_t>(text.size());
  return *this;
}

Talk& Talk::lost(Side from, const std::string& text) {
  next_[index(from)] += static_cast<std::uint32_t>(text.size());
  now_ += 1000;
  return *this;
}

Talk& Talk::fin(Side from) {
  raw({from, next(from), next(other(from)), "FA", {}});
  ++next_[index(from)];
  return *this;
}

Talk& Talk::reset(Side from) { return raw({from, next(from), 0, "R", {}}); }

void short_session(Talk& talk) {
  talk.handshake().server("220 mx ESMTP\r\n").client("EHLO a\r\n").server("250 mx\r\n");
  talk.client("QUIT\r\n").server("221 bye\r\n").close();
}

std::vector<std::string> Seen::session(int number) const {
  const std::string prefix = std::to_string(number) + " ";
  std::vector<std::string> lines;
  for (const std::string& line : events) {
    if (line.starts_with(prefix)) lines.push_back(line.substr(prefix.size()));
  }
  return lines;
}

std::string Seen::stream(int number, Side from) const {
  const std::string prefix = from == Side::kClient ? "C " : "S ";
  std::string all;
  for (const std::string& line : session(number)) {
    if (line.starts_with(prefix)) all += line.substr(2);
  }
  return all;
}

bool Seen::told(std::string_view words) const {
  return std::ranges::any_of(notices, [&](const SourceNotice& notice) {
    return notice.text.find(words) != std::string::npos;
  });
}

Seen see(const std::string& file, std::vector<std::uint16_t> ports) {
  auto octets = std::make_unique<MemoryOctets>(file);
  auto reader = begins_pcap(octets_of(file)) ? PcapReader::open(std::move(octets))
                                             : PcapngReader::open(std::move(octets));
  if (!reader) throw std::runtime_error(reader.error().message);
  PacketSource source(std::move(reader.value()), "test.pcap", std::move(ports));
  Seen seen;
  Writer writer(seen.events);
  while (source.next(writer).value()) {
  }
  source.finish(writer);
  seen.notices = source.notices();
  seen.run = source.run();
  return seen;
}

}  // namespace smtpscope::test
