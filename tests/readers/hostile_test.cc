// Captures that were made, or damaged, to do harm.

#include <algorithm>
#include <random>

#include "tests/catch.h"
#include "tests/readers/packet_kit.h"

using namespace smtpscope;
using namespace smtpscope::test;

namespace {

/// What every consumer relies on, whatever the file holds.
void check_sound(const Seen& seen) {
  std::vector<std::string> ended;
  std::vector<std::string> opened;
  for (const std::string& line : seen.events) {
    const std::string session = line.substr(0, line.find(' '));
    const std::string what = line.substr(session.size() + 1);
    REQUIRE(line.find("EARLIER") == std::string::npos);
    REQUIRE(std::find(ended.begin(), ended.end(), session) == ended.end());
    const bool known = std::find(opened.begin(), opened.end(), session) != opened.end();
    REQUIRE(known == !what.starts_with("open "));
    if (!known) opened.push_back(session);
    if (what == "end") ended.push_back(session);
  }
}

std::string lively_file() {
  Pcap file;
  Talk talk(file);
  talk.handshake().server("220 mx ESMTP\r\n").client("EHLO a\r\n").lost(S, "250 mx\r\n");
  talk.client("MAIL FROM:<a@b>\r\n");
  talk.raw({C, talk.next(C) - 3, talk.next(S), "A", "xyz"}).wait(80'000);
  talk.server("250 ok\r\n").reset(C).server("421 bye\r\n");
  Talk again(file, {}, 77, 99);
  again.wait(200'000);
  short_session(again);
  return file.octets();
}

}  // namespace

TEST_CASE("damaged anywhere, a capture gives sound events") {
  const std::string whole = lively_file();
  std::mt19937 random(11);  // NOLINT: the same every time
  for (int round = 0; round < 3000; ++round) {
    std::string file = whole;
    const int changes = 1 + static_cast<int>(random() % 6);
    for (int i = 0; i < changes; ++i) {
      file[24 + random() % (file.size() - 24)] = static_cast<char>(random());
    }
    if (random() % 4 == 0) file.resize(24 + random() % (file.size() - 24));
    check_sound(see(file));
  }
}

TEST_CASE("a hundred thousand tiny segments in the worst order") {
  Pcap file;
  Talk talk(file);
  talk.handshake().server("220 mx ESMTP\r\n");
  const std::uint32_t first = talk.next(C);
  std::string packets = file.octets();
  Pcap tiny;
  // Every other octet, backwards: each is an island of its own.
  for (std::uint32_t i = 100'000; i > 0; --i) {
    tiny.add(20'000 + i % 1000, talk.frame({C, first + 2 * i, talk.next(S), "A", "x"}));
  }
  packets += tiny.octets().substr(24);
  const Seen seen = see(packets);
  check_sound(seen);
  CHECK(seen.stream(1, S) == "220 mx ESMTP\r\n");
}

TEST_CASE("sequence and acknowledgement numbers from anywhere") {
  std::mt19937 random(13);  // NOLINT: the same every time
  Pcap file;
  Talk talk(file);
  talk.handshake().server("220 mx ESMTP\r\n");
  const char* const flags[] = {"A", "A", "A", "FA", "RA", "S", "SA", ""};
  for (int i = 0; i < 20'000; ++i) {
    talk.raw({random() % 2 == 0 ? C : S, static_cast<std::uint32_t>(random()),
              static_cast<std::uint32_t>(random()), flags[random() % 8],
              std::string(random() % 50, 'x')});
  }
  check_sound(see(file.octets()));
}
