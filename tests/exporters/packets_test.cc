#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/octets.h"
#include "exporters/packets/eml_exporter.h"
#include "exporters/packets/pcapng_blocks.h"
#include "exporters/packets/pcapng_exporter.h"
#include "exporters/packets/tcp_packets.h"
#include "parser/item.h"
#include "tests/catch.h"
#include "tests/exporters/golden.h"
#include "timeline/rule.h"

namespace smtpscope {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

std::uint32_t number_at(std::string_view octets, std::size_t at, std::size_t size) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < size; ++i) {
    number = number << 8 | static_cast<unsigned char>(octets.at(at + i));
  }
  return number;
}

/// Of correct octets, checksum included, the sum is all ones (RFC 1071).
bool sums_up(std::string octets) {
  if (octets.size() % 2 != 0) octets += '\0';
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < octets.size(); i += 2) sum += number_at(octets, i, 2);
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
  return sum == 0xFFFF;
}

void check_ipv4(const TcpPacket& packet) {
  const std::string& octets = packet.octets;
  CHECK(octets[0] == '\x45');
  CHECK(number_at(octets, 2, 2) == packet.original_length);
  CHECK(sums_up(octets.substr(0, 20)));
  if (octets.size() != packet.original_length) return;
  std::string pseudo = octets.substr(12, 8) + std::string("\0\x06", 2);
  pseudo += static_cast<char>((octets.size() - 20) >> 8);
  pseudo += static_cast<char>((octets.size() - 20) & 0xFF);
  CHECK(sums_up(pseudo + octets.substr(20)));
}

constexpr std::string_view kClient = "192.0.2.10:50114";
constexpr std::string_view kServer = "198.51.100.7:25";

TEST_CASE("addresses are read as they stand in captures") {
  PacketAddress address;
  REQUIRE(PacketAddress::read("192.0.2.10:50114", address));
  CHECK(address.octets == "\xC0\x00\x02\x0A"s);
  CHECK(address.port == 50114);
  REQUIRE(PacketAddress::read("[2001:db8::1]:25", address));
  CHECK(address.octets.size() == 16);
  REQUIRE(PacketAddress::read("[fe80::1%eth0]:25", address));
  for (const std::string_view bad : {"unix:/run/x", "", ":", "mx.example:25", "192.0.2.10:",
                                     "[::1]", "192.0.2.10:70000", "192.0.2.300:25"}) {
    INFO(bad);
    CHECK_FALSE(PacketAddress::read(bad, address));
  }
}

TEST_CASE("packets have valid lengths, numbers and checksums") {
  TcpPackets packets(kClient, kServer, "127.0.0.1:2525", 1);
  CHECK_FALSE(packets.made_up());
  std::vector<TcpPacket> all = {packets.syn(), packets.syn_ack(), packets.established(),
                                packets.data(Side::kServer, "220 mx\r\n", 8),
                                packets.data(Side::kClient, "odd", 3)};
  for (const TcpPacket& each : all) check_ipv4(each);
  const auto sequence = [](const TcpPacket& packet) { return number_at(packet.octets, 24, 4); };
  const auto acknowledged = [](const TcpPacket& packet) { return number_at(packet.octets, 28, 4); };
  CHECK(sequence(all[0]) == 0);
  CHECK(sequence(all[3]) == 1);
  CHECK(acknowledged(all[4]) == 9);
  CHECK(packets.sent(Side::kClient) == 3);
  check_ipv4(packets.data(Side::kClient, "x", 1));
  const TcpPacket fin = packets.fin(Side::kClient);
  CHECK(sequence(fin) == 5);
  // The FIN counts.
  CHECK(acknowledged(packets.data(Side::kServer, "221\r\n", 5)) == 6);
  check_ipv4(packets.reset(Side::kServer));
}

TEST_CASE("octets that were left out are missing at the end of a packet") {
  TcpPackets packets(kClient, kServer, "", 1);
  const TcpPacket packet = packets.data(Side::kClient, "Subject", 1000);
  CHECK(packet.octets.size() == 47);
  CHECK(packet.original_length == 1040);
  check_ipv4(packet);
  CHECK(packets.sent(Side::kClient) == 1000);
}

TEST_CASE("IPv6, and what is no address") {
  TcpPackets six("[2001:db8::1]:1025", "192.0.2.1:25", "[2001:db8::2]:2525", 1);
  CHECK_FALSE(six.made_up());
  const TcpPacket packet = six.data(Side::kClient, "NOOP\r\n", 6);
  CHECK(packet.octets.size() == 66);
  CHECK(number_at(packet.octets, 4, 2) == 26);
  std::string pseudo = packet.octets.substr(8, 32);
  pseudo += std::string("\0\0\0\x1A\0\0\0\x06", 8);
  CHECK(sums_up(pseudo + packet.octets.substr(40)));
  CHECK(TcpPackets("unix:", "unix:/run/lmtp", "unix:/run/l", 1).made_up());
}

TEST_CASE("too much under way is acknowledged") {
  TcpPackets packets(kClient, kServer, "", 1);
  CHECK_FALSE(packets.must_acknowledge(Side::kClient));
  packets.skip(Side::kClient, TcpPackets::kWindow);
  CHECK(packets.must_acknowledge(Side::kClient));
  const TcpPacket packet = packets.acknowledge(Side::kClient);
  CHECK(packet.from == Side::kServer);
  CHECK(number_at(packet.octets, 28, 4) == TcpPackets::kWindow + 1);
  CHECK_FALSE(packets.must_acknowledge(Side::kClient));
}

/// The blocks of a file, each checked for the lengths at both ends.
std::vector<std::string> blocks_of(std::string_view file) {
  std::vector<std::string> blocks;
  while (!file.empty()) {
    const std::uint32_t length = number_at(file, 4, 4);
    REQUIRE(length % 4 == 0);
    REQUIRE(length <= file.size());
    REQUIRE(number_at(file, length - 4, 4) == length);
    blocks.emplace_back(file.substr(0, length));
    file.remove_prefix(length);
  }
  return blocks;
}

TEST_CASE("blocks can be walked through") {
  const std::string packet = pcapng_packet(WallTime(1234567890123456789ns), "abc", 5, {"why", "x"});
  const std::vector<std::string> blocks =
      blocks_of(pcapng_section("smtpscope", "comment") + pcapng_interface("tap") + packet);
  REQUIRE(blocks.size() == 3);
  CHECK(number_at(blocks[0], 8, 4) == 0x1A2B3C4D);
  CHECK(number_at(blocks[1], 8, 2) == 101);
  const std::uint64_t ns =
      std::uint64_t{number_at(blocks[2], 12, 4)} << 32 | number_at(blocks[2], 16, 4);
  CHECK(ns == 1234567890123456789u);
  CHECK(number_at(blocks[2], 20, 4) == 3);
  CHECK(number_at(blocks[2], 24, 4) == 5);
  CHECK(blocks[2].find("why") != std::string::npos);
}

/// Tells an exporter a session without a parser.
class Teller {
 public:
  explicit Teller(PcapngExporter& exporter, SessionId session = 1)
      : exporter_(exporter), session_(session) {}

  void open(Time time) {
    exporter_.on_record({session_, time, SessionOpened{kClient, "127.0.0.1:2525", "mx:25"}});
    exporter_.on_record({session_, time, UpstreamConnected{.server = kServer}});
  }
  /// One line, its entry, and then what may be written of it.
  void say(Time time, Side from, std::string_view line) {
    Item item;
    item.side = from;
    item.begin = sent_[index(from)];
    item.end = sent_[index(from)] += line.size();
    Entry entry;
    entry.number = ++entries_;
    entry.item = &item;
    exporter_.on_timeline({session_, time, entry});
    Bytes bytes;
    bytes.from = from;
    bytes.head = octets_of(line);
    exporter_.on_record({session_, time, bytes});
  }
  void annotate(Time time, std::uint64_t entry, std::string text) {
    Annotation annotation;
    annotation.rule = all_rules().front();
    annotation.severity = Severity::kNotice;
    annotation.text = std::move(text);
    if (entry != 0) annotation.entries = {entry};
    exporter_.on_timeline({session_, time, annotation});
  }
  void end(Time time) {
    exporter_.on_record({session_, time, Closed{.from = Side::kClient, .reason = {}}});
    exporter_.on_record({session_, time, SessionEnded{}});
  }

 private:
  PcapngExporter& exporter_;
  SessionId session_;
  std::uint64_t entries_ = 0;
  std::uint64_t sent_[2] = {0, 0};
};

/// The packets of a file: those blocks that are no header.
std::vector<std::string> packets_of(const StringOutput& output) {
  std::vector<std::string> packets;
  for (const std::string& block : blocks_of(output.text())) {
    if (number_at(block, 0, 4) == 6) packets.push_back(block);
  }
  return packets;
}

bool block_holds(const std::string& block, std::string_view text) {
  return block.find(text) != std::string::npos;
}

TEST_CASE("a finding is a comment on the packet that it is about, however late it comes") {
  StringOutput output;
  PcapngExporter exporter({}, output);
  exporter.begin_run({});
  Teller told(exporter);
  told.open(at_ns(1));
  told.say(at_ns(2), Side::kServer, "220 mx\r\n");
  told.say(at_ns(3), Side::kClient, "RSET\r\n");
  told.say(at_ns(4), Side::kServer, "250 ok\r\n");
  told.annotate(at_ns(4), 2, "about RSET");
  told.annotate(at_ns(5), 0, "about nothing");
  told.end(at_ns(6));
  exporter.end_run();
  exporter.finish();
  const std::vector<std::string> packets = packets_of(output);
  REQUIRE(packets.size() == 7);  // SYN, SYN/ACK, ACK, three lines, FIN
  CHECK(block_holds(packets[4], "RSET"));
  CHECK(block_holds(packets[4], "notice " + std::string(all_rules().front()->id) + ": about RSET"));
  CHECK(block_holds(packets[6], "about nothing"));
}

TEST_CASE("comments take memory too, and of very many the first are kept") {
  StringOutput output;
  PcapngExporter exporter({}, output);
  exporter.begin_run({});
  Teller told(exporter);
  told.open(at_ns(1));
  for (int i = 0; i < 1000; ++i) {
    exporter.on_record({1, at_ns(2), Gap{std::nullopt, 0, 1, "the disk was full"}});
  }
  told.say(at_ns(3), Side::kServer, "220 mx\r\n");
  // Teller are let go, though the session goes on, when what is said of them fills the memory.
  const std::string long_text(1 << 20, 'x');
  for (std::size_t held = 0; held <= PcapngExporter::kMaxHeld; held += long_text.size()) {
    told.annotate(at_ns(3), 1, long_text);
  }
  told.say(at_ns(4), Side::kClient, "QUIT\r\n");
  CHECK(!packets_of(output).empty());
  told.end(at_ns(6));
  exporter.end_run();
  exporter.finish();
  const auto packets = packets_of(output);
  const auto greeting = std::ranges::find_if(
      packets, [](const std::string& packet) { return block_holds(packet, "220 mx"); });
  REQUIRE(greeting != packets.end());
  CHECK(block_holds(*greeting, "and 744 remarks more"));
}

TEST_CASE("packets of sessions that overlap are in the order of time") {
  StringOutput output;
  PcapngExporter exporter({}, output);
  exporter.begin_run({});
  Teller one(exporter, 1), two(exporter, 2);
  one.open(at_ns(10));
  two.open(at_ns(20));
  two.say(at_ns(30), Side::kServer, "220 two\r\n");
  two.end(at_ns(40));
  CHECK(packets_of(output).empty());  // the first session may yet be annotated
  one.say(at_ns(50), Side::kServer, "220 one\r\n");
  one.end(at_ns(60));
  exporter.end_run();
  std::uint32_t last = 0;
  for (const std::string& packet : packets_of(output)) {
    CHECK(number_at(packet, 16, 4) >= last);
    last = number_at(packet, 16, 4);
  }
  CHECK(packets_of(output).size() == 10);
}

TEST_CASE("a session that goes on for ever does not take all memory") {
  StringOutput output;
  PcapngExporter exporter({}, output);
  exporter.begin_run({});
  Teller told(exporter);
  told.open(at_ns(1));
  const std::string line(60'000, 'x');
  for (int i = 0; i < 1500; ++i) told.say(at_ns(2 + i), Side::kClient, line);
  const std::size_t written = packets_of(output).size();
  CHECK(written > 300);
  told.annotate(at_ns(3000), 1, "about what has gone");
  told.say(at_ns(3001), Side::kServer, "250 ok\r\n");
  told.end(at_ns(3002));
  exporter.end_run();
  const std::vector<std::string> packets = packets_of(output);
  CHECK(block_holds(packets[packets.size() - 2], "about what has gone"));
}

TEST_CASE("only sessions that somebody asked for") {
  StringOutput output;
  ExporterOptions options;
  options.annotated_from = Severity::kNotice;
  PcapngExporter exporter(options, output);
  exporter.begin_run({});
  Teller quiet(exporter, 1), loud(exporter, 2);
  quiet.open(at_ns(1));
  quiet.end(at_ns(2));
  loud.open(at_ns(3));
  loud.annotate(at_ns(4), 0, "here");
  loud.end(at_ns(5));
  exporter.end_run();
  CHECK(packets_of(output).size() == 4);
}

TEST_CASE("a run without anything is a file all the same") {
  StringOutput output;
  PcapngExporter exporter({}, output);
  exporter.finish();
  CHECK(blocks_of(output.text()).size() == 1);
}

TEST_CASE("dots are unstuffed") {
  CHECK(without_dot_stuffing("") == "");
  CHECK(without_dot_stuffing("a\r\n..b\r\n...\r\n.\r\nc.d\r\n.") == "a\r\n.b\r\n..\r\n\r\nc.d\r\n");
  CHECK(without_dot_stuffing("a\n.b\r.c\r\n") == "a\n.b\r.c\r\n");  // lines end at CRLF only
}

}  // namespace
}  // namespace smtpscope
