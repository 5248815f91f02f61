// The same session in every wrapping that is read.

#include "readers/packets/link_layer.h"

#include "base/octets.h"
#include "tests/catch.h"
#include "tests/readers/packet_kit.h"

using namespace smtpscope;
using namespace smtpscope::test;

namespace {

/// A greeting and a hello, each packet wrapped by `wrap`.
template <typename Wrap>
std::string file_of(Pcap::Shape shape, const Ends& ends, Wrap wrap) {
  Pcap file(shape);
  const auto add = [&](std::int64_t us, const Segment& segment) {
    file.add(us, wrap(tcp(segment, ends), segment.from));
  };
  add(0, {Side::kClient, 99, 0, "S", {}});
  add(10, {Side::kServer, 199, 100, "SA", {}});
  add(20, {Side::kClient, 100, 200, "A", {}});
  add(30, {Side::kServer, 200, 100, "A", "220 mx ESMTP\r\n"});
  add(40, {Side::kClient, 100, 214, "A", "EHLO a\r\n"});
  return file.octets();
}

void check_session(const std::string& file) {
  const Seen seen = see(file);
  CHECK(seen.stream(1, Side::kServer) == "220 mx ESMTP\r\n");
  CHECK(seen.stream(1, Side::kClient) == "EHLO a\r\n");
  CHECK(seen.notices.empty());
}

}  // namespace

TEST_CASE("every link type shows the same session") {
  const Ends ends;
  const auto ip = [&](const std::string& payload, Side from) { return ipv4(payload, ends, from); };
  const auto check = [&](std::uint32_t link, auto wrap) {
    INFO("link type " << link);
    check_session(file_of({.link = link}, ends, [&](const std::string& payload, Side from) {
      return wrap(ip(payload, from));
    }));
  };
  check(1, [](const std::string& packet) { return ethernet(packet); });
  check(1, [](const std::string& packet) {  // VLAN
    return ethernet(big(7, 2) + big(0x0800, 2) + packet, 0x8100);
  });
  check(1, [](const std::string& packet) {  // QinQ
    return ethernet(big(7, 2) + big(0x8100, 2) + big(8, 2) + big(0x0800, 2) + packet, 0x88A8);
  });
  check(1, [](const std::string& packet) {  // PPPoE
    return ethernet(big(0x11000001, 4) + big(packet.size() + 2, 2) + big(0x0021, 2) + packet,
                    0x8864);
  });
  check(1, [](const std::string& packet) {  // SNAP
    return ethernet(big(0xAAAA03000000, 6) + big(0x0800, 2) + packet, 1400);
  });
  check(0, [](const std::string& packet) { return little(2, 4) + packet; });
  check(0, [](const std::string& packet) { return big(2, 4) + packet; });
  check(108, [](const std::string& packet) { return big(2, 4) + packet; });
  check(101, [](const std::string& packet) { return packet; });
  check(12, [](const std::string& packet) { return packet; });
  check(228, [](const std::string& packet) { return packet; });
  check(113,
        [](const std::string& packet) { return std::string(14, '\0') + big(0x0800, 2) + packet; });
  check(276,
        [](const std::string& packet) { return big(0x0800, 2) + std::string(18, '\0') + packet; });
}

TEST_CASE("either byte order, micro- and nanoseconds") {
  const Ends ends;
  for (const bool big_endian : {false, true}) {
    for (const bool nanoseconds : {false, true}) {
      const std::string file = file_of({.big_endian = big_endian, .nanoseconds = nanoseconds}, ends,
                                       [&](const std::string& payload, Side from) {
                                         return ethernet(ipv4(payload, ends, from));
                                       });
      check_session(file);
      CHECK(see(file).session(1).at(1) == "connected in 10 us");
    }
  }
}

TEST_CASE("IPv6, with extension headers") {
  const Ends ends{.client = "2001:db8::1", .server = "2001:db8::2"};
  const std::string hop_by_hop = big(60, 1) + big(0, 1) + std::string(6, '\0');
  const std::string destination = big(6, 1) + big(1, 1) + std::string(14, '\0');
  const std::string file = file_of({}, ends, [&](const std::string& payload, Side from) {
    return ethernet(ipv6(payload, ends, from, hop_by_hop + destination, 0), 0x86DD);
  });
  check_session(file);
  CHECK(see(file).session(1).at(0) == "open [2001:db8::1]:40000 > [2001:db8::2]:25");
}

TEST_CASE("fragments are put together, in any order, of either version") {
  const Ends ends;
  const auto fragments = [&](const std::string& whole, Side from) {
    const std::string head = whole.substr(0, 16);
    const std::string tail = whole.substr(16);
    return std::pair{ethernet(ipv4(head, ends, from, 0x2000, 7)),
                     ethernet(ipv4(tail, ends, from, 2, 7))};
  };
  for (const bool tail_first : {false, true}) {
    Pcap file;
    Talk talk(file);
    talk.handshake().server("220 mx ESMTP\r\n");
    const std::string segment =
        tcp({Side::kClient, talk.next(Side::kClient), talk.next(Side::kServer), "A", "EHLO a\r\n"},
            ends);
    auto [first, second] = fragments(segment, Side::kClient);
    if (tail_first) std::swap(first, second);
    file.add(talk.now(), first).add(talk.now(), second);
    CHECK(see(file.octets()).stream(1, Side::kClient) == "EHLO a\r\n");
  }
  Pcap half;
  Talk talk(half);
  talk.handshake().server("220 mx ESMTP\r\n");
  half.add(talk.now(), fragments(std::string(40, 'x'), Side::kClient).first);
  CHECK(see(half.octets()).told("1 IP packet lacked fragments"));

  const Ends six{.client = "2001:db8::1", .server = "2001:db8::2"};
  const auto header = [](std::uint16_t field) {
    return big(6, 1) + big(0, 1) + big(field, 2) + big(77, 4);
  };
  const std::string file = file_of({}, six, [&](const std::string& payload, Side from) {
    // Whole in a fragment of its own ("atomic", RFC 6946).
    return ethernet(ipv6(payload, six, from, header(0), 44), 0x86DD);
  });
  check_session(file);
  Pcap split;
  Talk over6(split, six);
  over6.handshake().server("220 mx ESMTP\r\n");
  const std::string segment =
      tcp({Side::kClient, over6.next(Side::kClient), over6.next(Side::kServer), "A", "EHLO a\r\n"},
          six);
  split.add(over6.now(),
            ethernet(ipv6(segment.substr(0, 24), six, Side::kClient, header(1), 44), 0x86DD));
  split.add(over6.now(),
            ethernet(ipv6(segment.substr(24), six, Side::kClient, header(24), 44), 0x86DD));
  CHECK(see(split.octets()).stream(1, Side::kClient) == "EHLO a\r\n");
}

TEST_CASE("overlapping fragments: the first that came wins") {
  const Ends ends;
  Pcap file;
  Talk talk(file);
  talk.handshake().server("220 mx ESMTP\r\n");
  const std::string segment = tcp(
      {Side::kClient, talk.next(Side::kClient), talk.next(Side::kServer), "A", "EHLO abcdefgh\r\n"},
      ends);
  file.add(talk.now(), ethernet(ipv4(segment.substr(0, 24), ends, Side::kClient, 0x2000, 9)));
  std::string second = segment.substr(16);
  second.replace(0, 8, "overlaps");
  file.add(talk.now(), ethernet(ipv4(second, ends, Side::kClient, 2, 9)));
  CHECK(see(file.octets()).stream(1, Side::kClient) == "EHLO abcdefgh\r\n");
}

TEST_CASE("what is no TCP is passed over, what quotes TCP too") {
  const Ends ends;
  Pcap file;
  Talk talk(file);
  talk.handshake().server("220 mx ESMTP\r\n");
  // ICMP quotes the packet that it is about (RFC 792).
  const std::string quoted =
      ipv4(tcp({Side::kClient, talk.next(Side::kClient), 0, "A", "EHLO quoted\r\n"}, ends), ends,
           Side::kClient);
  file.add(talk.now(),
           ethernet(ipv4(big(0x03010000, 4) + big(0, 4) + quoted, ends, Side::kServer, 0, 1, 1)));
  file.add(talk.now(), ethernet(std::string(28, '\x01'), 0x0806));  // ARP
  file.add(talk.now(), std::string(5, '\x01'));
  talk.client("EHLO a\r\n");
  CHECK(see(file.octets()).stream(1, Side::kClient) == "EHLO a\r\n");
}

TEST_CASE("a link type that is not known is told") {
  Pcap file(Pcap::Shape{.link = 105});
  file.add(0, std::string(100, 'x')).add(1, std::string(100, 'x'));
  CHECK(see(file.octets()).told("2 packets of link type 105"));
}
