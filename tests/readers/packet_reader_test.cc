// Capture files in every state in which a disk can hold them, or an enemy can make them.

#include "readers/packets/packet_reader.h"

#include <memory>

#include "base/octets.h"
#include "readers/packets/pcap_reader.h"
#include "readers/packets/pcapng_reader.h"
#include "tests/catch.h"
#include "tests/readers/memory_octets.h"
#include "tests/readers/packet_kit.h"

using namespace smtpscope;
using namespace smtpscope::test;

namespace {

std::string number(std::uint64_t value, std::size_t octets, bool big_endian) {
  return big_endian ? big(value, octets) : little(value, octets);
}

std::string padded(std::string text) {
  text.resize((text.size() + 3) / 4 * 4, '\0');
  return text;
}

/// A pcapng block around `body`, which is filled up to four octets.
std::string block(std::uint32_t type, const std::string& body, bool big_endian = false) {
  const std::string whole = padded(body);
  const std::string length = number(whole.size() + 12, 4, big_endian);
  return number(type, 4, big_endian) + length + whole + length;
}

std::string option(std::uint16_t code, const std::string& value, bool big_endian = false) {
  return number(code, 2, big_endian) + number(value.size(), 2, big_endian) + padded(value);
}

std::string section(bool big_endian = false, const std::string& options = {}) {
  return block(0x0A0D0D0A,
               number(0x1A2B3C4D, 4, big_endian) + number(1, 2, big_endian) +
                   number(0, 2, big_endian) + std::string(8, '\xff') + options,
               big_endian);
}

std::string interface(std::uint16_t link, const std::string& options = {},
                      bool big_endian = false) {
  return block(
      1,
      number(link, 2, big_endian) + number(0, 2, big_endian) + number(0, 4, big_endian) + options,
      big_endian);
}

std::string packet(std::uint32_t on, std::uint64_t ticks, const std::string& frame,
                   bool big_endian = false) {
  return block(6,
               number(on, 4, big_endian) + number(ticks >> 32, 4, big_endian) +
                   number(ticks & 0xFFFFFFFF, 4, big_endian) + number(frame.size(), 4, big_endian) +
                   number(frame.size(), 4, big_endian) + frame,
               big_endian);
}

struct Packets {
  std::vector<std::string> octets;
  std::vector<std::int64_t> times;
  std::vector<std::uint32_t> links;
  std::string damage, writer;
  bool cut = false;
};

Packets packets_of(const std::string& file, std::size_t piece = ~std::size_t{0}) {
  auto octets = std::make_unique<MemoryOctets>(file, piece);
  auto opened = begins_pcap(octets_of(file)) ? PcapReader::open(std::move(octets))
                                             : PcapngReader::open(std::move(octets));
  Packets packets;
  if (!opened) {
    packets.damage = opened.error().message;
    return packets;
  }
  PacketReader& reader = *opened.value();
  while (true) {
    Packet one;
    const auto found = reader.next(one).value();
    if (found == PacketReader::Found::kEnd) break;
    if (found == PacketReader::Found::kNothing) continue;
    packets.octets.emplace_back(text_of(one.octets));
    packets.times.push_back(one.time.time_since_epoch().count());
    packets.links.push_back(one.link);
  }
  packets.damage = reader.damage();
  packets.writer = reader.writer();
  packets.cut = reader.cut();
  return packets;
}

}  // namespace

TEST_CASE("pcapng: interfaces with link types and clocks of their own") {
  for (const bool big_endian : {false, true}) {
    const auto resolution = [&](std::uint8_t value) {
      return option(9, big(value, 1), big_endian);
    };
    const std::string file =
        section(big_endian, option(4, "Dumpcap 4.0", big_endian)) + interface(1, {}, big_endian) +
        interface(101, resolution(9), big_endian) +
        interface(113, resolution(0x8A) + option(14, number(100, 8, big_endian), big_endian),
                  big_endian) +
        packet(0, 5'000'001, "one", big_endian) + block(0x0BAD, "unknown", big_endian) +
        packet(1, 6'000'000'001, "second", big_endian) +
        packet(2, 7 * 1024 + 512, "third", big_endian);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, file.size()}) {
      const Packets packets = packets_of(file, piece);
      CHECK(packets.octets == std::vector<std::string>{"one", "second", "third"});
      CHECK(packets.times ==
            std::vector<std::int64_t>{5'000'001'000, 6'000'000'001, 107'500'000'000});
      CHECK(packets.links == std::vector<std::uint32_t>{1, 101, 113});
      CHECK(packets.writer == "pcapng (Dumpcap 4.0)");
      CHECK(packets.damage.empty());
      CHECK_FALSE(packets.cut);
    }
  }
}

TEST_CASE("pcapng: several sections, old and simple packets") {
  const std::string old = block(2, little(0, 2) + little(0, 2) + little(0, 4) + little(9, 4) +
                                       little(3, 4) + little(3, 4) + "old");
  const std::string simple = block(3, little(6, 4) + "simple");
  const Packets packets = packets_of(section() + interface(1) + old + simple + section(true) +
                                     interface(101, {}, true) + packet(0, 1, "big", true));
  CHECK(packets.octets == std::vector<std::string>{"old", "simple", "big"});
  CHECK(packets.links == std::vector<std::uint32_t>{1, 1, 101});
}

TEST_CASE("pcapng: damage ends the file with a reason, and what came before was read") {
  const std::string good = section() + interface(1) + packet(0, 1, "good");
  const auto damage = [&](const std::string& bad) {
    const Packets packets = packets_of(good + bad + packet(0, 2, "never"));
    CHECK(packets.octets.front() == "good");
    CHECK(packets.octets.size() == 1);
    CHECK_FALSE(packets.cut);
    return packets.damage;
  };
  CHECK_THAT(damage(little(6, 4) + little(0, 4) + little(0, 4)), holds("a block of 0 octets"));
  CHECK_THAT(damage(little(6, 4) + little(13, 4) + little(0, 20)), holds("a block of 13"));
  CHECK_THAT(damage(little(6, 4) + little(0xFFFFFFFC, 4) + little(0, 4)),
             holds("a packet of 4294967292 octets"));
  CHECK_THAT(damage(packet(3, 1, "x")), holds("an interface not described"));
  CHECK_THAT(damage(block(6, std::string(8, 'x'))), holds("no header"));
  std::string longer = packet(0, 1, "four");
  longer[20] = 100;  // captured length
  CHECK_THAT(damage(longer), holds("longer than its block"));
  std::string differs = packet(0, 1, "four");
  differs[differs.size() - 4] = 100;
  CHECK_THAT(damage(differs), holds("different lengths"));
}

TEST_CASE("pcapng: a block too long to be kept is passed over") {
  const std::string file = section() + interface(1) +
                           block(0x0BAD, std::string(3 * 1024 * 1024, 'x')) + packet(0, 1, "after");
  CHECK(packets_of(file).octets == std::vector<std::string>{"after"});
}

TEST_CASE("pcapng: clocks of any speed neither wrap nor divide by nothing") {
  for (const unsigned resolution : {0U, 1U, 19U, 20U, 127U, 128U, 191U, 192U, 255U}) {
    const Packets packets = packets_of(
        section() +
        interface(1, option(9, big(resolution, 1)) + option(14, little(~std::uint64_t{0} / 2, 8))) +
        packet(0, ~std::uint64_t{0}, "late") + packet(0, 0, "early"));
    REQUIRE(packets.times.size() == 2);
    CHECK(packets.times[0] >= 0);
    CHECK(packets.times[1] <= packets.times[0]);
  }
}

TEST_CASE("pcap: absurd lengths are damage") {
  Pcap file;
  file.add(0, "good").add(0, std::string(100, 'x'));
  std::string octets = file.octets();
  octets.replace(24 + 16 + 4 + 8, 4, little(0x7FFFFFFF, 4));
  const Packets packets = packets_of(octets);
  CHECK(packets.octets == std::vector<std::string>{"good"});
  CHECK(packets.damage ==
        "it is damaged at octet 44: a packet of 2147483647 octets is said to be there");
}

TEST_CASE("a file cut anywhere is read up to its last whole packet, and can be followed") {
  Pcap pcap;
  pcap.add(0, "first").add(1, "").add(2, "third");
  const std::string files[] = {pcap.octets(), section() + interface(1) + packet(0, 1, "first") +
                                                  packet(0, 2, "") + packet(0, 3, "third")};
  for (const std::string& file : files) {
    const std::vector<std::string> whole = packets_of(file).octets;
    REQUIRE(whole.size() == 3);
    for (std::size_t size = 12; size < file.size(); ++size) {
      INFO("cut after " << size);
      const Packets packets = packets_of(file.substr(0, size));
      CHECK(std::equal(packets.octets.begin(), packets.octets.end(), whole.begin()));
      CHECK(packets.octets.size() < 3);
    }
  }
}
