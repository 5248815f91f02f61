// Streams out of segments that come as they come.

#include "readers/packets/tcp_connection.h"

#include <algorithm>
#include <random>

#include "tests/catch.h"
#include "tests/readers/packet_kit.h"

using namespace smtpscope;
using namespace smtpscope::test;

namespace {

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a session from SYN to FIN") {
  Pcap file;
  Talk talk(file);
  short_session(talk);
  const Seen seen = see(file.octets());
  CHECK(seen.session(1) == Lines{"open 192.0.2.1:40000 > 198.51.100.7:25", "connected in 1000 us",
                                 "S 220 mx ESMTP\r\n", "C EHLO a\r\n", "S 250 mx\r\n", "C QUIT\r\n",
                                 "S 221 bye\r\n", "close C fin", "close S fin", "end"});
  CHECK(seen.notices.empty());
  CHECK(seen.run.writer == "pcap");
  CHECK(seen.run.source == "test.pcap");
  CHECK(seen.run.credentials_kept);
}

TEST_CASE("retransmissions and keep-alives say nothing new") {
  Pcap file;
  Talk talk(file);
  talk.handshake().server("220 mx ESMTP\r\n").client("EHLO a\r\n");
  const std::uint32_t next = talk.next(C);
  talk.raw({C, next - 8, talk.next(S), "A", "EHLO a\r\n"});
  talk.raw({C, next - 1, talk.next(S), "A", {}});      // keep-alive
  talk.raw({C, next - 1, talk.next(S), "A", "\x01"});  // with an octet that is made up
  talk.raw({C, next - 8, talk.next(S), "A", "EHLO a\r\nQUIT\r\n"});
  const Seen seen = see(file.octets());
  CHECK(seen.stream(1, C) == "EHLO a\r\nQUIT\r\n");
  CHECK(seen.notices.empty());
}

TEST_CASE("what comes too soon waits for what it follows") {
  Pcap file;
  Talk talk(file);
  talk.handshake().server("220 mx ESMTP\r\n");
  const std::uint32_t next = talk.next(C);
  talk.raw({C, next + 5, talk.next(S), "A", "a\r\n"});
  talk.raw({C, next + 3, talk.next(S), "A", "O a\r\n"});  // overlaps what waits
  talk.raw({C, next, talk.next(S), "A", "EHL"});
  CHECK(see(file.octets()).stream(1, C) == "EHLO a\r\n");
}

TEST_CASE("a reply does not appear before the command that it answers") {
  Pcap file;
  Talk talk(file);
  talk.handshake().server("220 mx ESMTP\r\n");
  const std::string command = talk.frame({C, talk.next(C), talk.next(S), "A", "EHLO a\r\n"});
  talk.lost(C, "EHLO a\r\n").server("250 mx\r\n");
  file.add(talk.now(), command);
  const Seen seen = see(file.octets());
  const Lines lines = seen.session(1);
  CHECK(Lines(lines.end() - 2, lines.end()) == Lines{"C EHLO a\r\n", "S 250 mx\r\n"});
  CHECK(seen.notices.empty());
}

TEST_CASE("lost segments become gaps of their size, in their place") {
  Pcap file;
  Talk talk(file);
  talk.handshake().server("220 mx ESMTP\r\n").client("EHLO a\r\n");
  talk.lost(S, "250 mx\r\n").client("MAIL FROM:<a@b>\r\n").wait(100'000);
  talk.lost(C, "x").server("250 ok\r\n").wait(100'000).client("QUIT\r\n");
  const Lines lines = see(file.octets()).session(1);
  CHECK(Lines(lines.begin() + 4, lines.end()) ==
        Lines{"gap S 8", "C MAIL FROM:<a@b>\r\n", "gap C 1", "S 250 ok\r\n", "C QUIT\r\n"});
}

TEST_CASE("a segment that is sent again much later is no gap") {
  Pcap file;
  Talk talk(file);
  talk.handshake().server("220 mx ESMTP\r\n");
  const std::uint32_t begin = talk.next(C);
  talk.lost(C, "EHLO ");
  // The server has not acknowledged it: it will come again.
  talk.raw({C, talk.next(C), talk.next(S), "A", "a\r\n"}).wait(30'000'000);
  talk.raw({C, begin, talk.next(S), "A", "EHLO "});
  CHECK(see(file.octets()).session(1).at(3) == "C EHLO ");
  CHECK(see(file.octets()).stream(1, C) == "EHLO a\r\n");
}

TEST_CASE("packets cut when captured leave gaps") {
  Pcap file;
  Talk talk(file);
  talk.handshake().server("220 mx ESMTP\r\n");
  file.add(talk.now(), talk.frame({C, talk.next(C), talk.next(S), "A", std::string(200, 'x')}),
           54 + 50);
  talk.lost(C, std::string(200, 'x')).server("500 what\r\n");
  const Lines lines = see(file.octets()).session(1);
  CHECK(Lines(lines.begin() + 3, lines.end()) ==
        Lines{"C " + std::string(50, 'x'), "gap C 150", "S 500 what\r\n"});
}

TEST_CASE("octets that are sent twice and differ: the first stand, and it is told") {
  Pcap file;
  Talk talk(file);
  talk.handshake().server("220 mx ESMTP\r\n").client("EHLO a\r\n");
  talk.raw({C, talk.next(C) - 8, talk.next(S), "A", "EHLO b\r\n"});
  const Seen seen = see(file.octets());
  CHECK(seen.stream(1, C) == "EHLO a\r\n");
  CHECK(seen.told("others the second time, in session 1"));

  Pcap waiting;
  Talk again(waiting);
  again.handshake().server("220 mx ESMTP\r\n");
  again.raw({C, again.next(C) + 5, again.next(S), "A", "a\r\n"});
  again.raw({C, again.next(C) + 4, again.next(S), "A", " b\r\n"});
  again.raw({C, again.next(C), again.next(S), "A", "EHLO"});
  const Seen overlap = see(waiting.octets());
  CHECK(overlap.stream(1, C) == "EHLO a\r\n");
  CHECK(overlap.told("others the second time"));
}

TEST_CASE("sequence numbers wrap") {
  Pcap file;
  Talk talk(file, {}, 0xFFFFFFFC, 0xFFFFFFF0);
  short_session(talk);
  const Seen seen = see(file.octets());
  CHECK(seen.stream(1, C) == "EHLO a\r\nQUIT\r\n");
  CHECK(seen.stream(1, S) == "220 mx ESMTP\r\n250 mx\r\n221 bye\r\n");
  CHECK(seen.session(1).back() == "end");
}

TEST_CASE("a capture that begins in the middle of a connection") {
  Pcap file;
  Talk talk(file);
  talk.server("250 ok\r\n").client("RCPT TO:<b@c>\r\n").server("250 ok\r\n");
  const Lines lines = see(file.octets()).session(1);
  CHECK(lines == Lines{"open 192.0.2.1:40000 > 198.51.100.7:25 mid", "S 250 ok\r\n",
                       "C RCPT TO:<b@c>\r\n", "S 250 ok\r\n"});
  // On any port, and the lower one is the client's.
  Pcap odd;
  Talk elsewhere(odd, {.client_port = 1000, .server_port = 2000});
  elsewhere.server("250 ok\r\n").client("RCPT TO:<b@c>\r\n");
  CHECK(see(odd.octets()).session(1).at(0) == "open 192.0.2.1:1000 > 198.51.100.7:2000 mid");
}

TEST_CASE("one side only was captured") {
  Pcap file;
  Talk talk(file);
  talk.raw({C, talk.next(C) - 1, 0, "S", {}});
  talk.raw({C, talk.next(C), talk.next(S), "A", {}});
  talk.lost(S, "220 mx ESMTP\r\n").client("EHLO a\r\n").lost(S, "250 mx\r\n").client("QUIT\r\n");
  talk.fin(C);
  const Seen seen = see(file.octets());
  CHECK(seen.session(1) == Lines{"open 192.0.2.1:40000 > 198.51.100.7:25", "connected in 0 us",
                                 "gap S 14", "C EHLO a\r\n", "gap S 8", "C QUIT\r\n", "close C fin",
                                 "end"});
  CHECK(seen.told("only one side was captured of session 1"));
}

TEST_CASE("the same addresses and ports again are another session") {
  Pcap file;
  Talk first(file);
  short_session(first);
  Talk second(file, {}, 900'000, 800'000);
  second.wait(2'000'000);
  short_session(second);
  Talk third(file, {}, 70'000, 60'000);  // the second one's FINs are not all there
  third.wait(4'000'000).handshake().server("220 third ESMTP\r\n");
  Talk fourth(file, {}, 1'000'000'000, 2'000'000'000);
  fourth.wait(5'000'000);
  short_session(fourth);
  const Seen seen = see(file.octets());
  for (const int session : {1, 2, 4}) {
    CHECK(seen.stream(session, C) == "EHLO a\r\nQUIT\r\n");
    CHECK(seen.session(session).back() == "end");
  }
  CHECK(seen.stream(3, S) == "220 third ESMTP\r\n");
  CHECK(seen.session(3).back() == "end");
  CHECK(seen.session(5).empty());
}

TEST_CASE("a SYN that is sent again is no other session") {
  Pcap file;
  Talk talk(file);
  talk.raw({C, talk.next(C) - 1, 0, "S", {}}).wait(1'000'000);
  short_session(talk);
  const Seen seen = see(file.octets());
  CHECK(seen.session(1).at(1) == "connected in 1002000 us");
  CHECK(seen.stream(1, C) == "EHLO a\r\nQUIT\r\n");
  CHECK(seen.session(2).empty());
}

TEST_CASE("a reset, and what still came behind it") {
  Pcap file;
  Talk talk(file);
  talk.handshake().server("220 mx ESMTP\r\n").client("QUIT\r\n").reset(C).server("221 bye\r\n");
  talk.reset(C).wait(10'000'000);
  Talk later(file, {.client_port = 40001});
  later.wait(20'000'000);
  short_session(later);
  const Lines lines = see(file.octets()).session(1);
  CHECK(Lines(lines.begin() + 3, lines.end()) ==
        Lines{"C QUIT\r\n", "close C reset", "S 221 bye\r\n", "end"});
}

TEST_CASE("connections that nobody accepted") {
  Pcap file;
  Talk refused(file);
  refused.raw({C, refused.next(C) - 1, 0, "S", {}}).raw({S, 0, refused.next(C), "RA", {}});
  Talk silent(file, {.client_port = 40001});
  silent.raw({C, silent.next(C) - 1, 0, "S", {}}).wait(1'000'000);
  silent.raw({C, silent.next(C) - 1, 0, "S", {}});
  const Seen seen = see(file.octets());
  CHECK(seen.session(1) == Lines{"open 192.0.2.1:40000 > 198.51.100.7:25",
                                 "failed: 198.51.100.7:25 refused the connection", "end"});
  CHECK(seen.session(2).at(1) == "failed: 198.51.100.7:25 did not answer 2 SYNs");
}

TEST_CASE("sides that claim to have seen what is not there do not stop each other") {
  Pcap file;
  Talk talk(file);
  talk.handshake().server("220 mx ESMTP\r\n");
  // Each acknowledges the other's octets: one of them lies.
  talk.raw({C, talk.next(C), talk.next(S) + 8, "A", "EHLO a\r\n"});
  talk.raw({S, talk.next(S), talk.next(C) + 8, "A", "250 mx\r\n"});
  const Seen seen = see(file.octets());
  CHECK(seen.stream(1, C) == "EHLO a\r\n");
  CHECK(seen.stream(1, S) == "220 mx ESMTP\r\n250 mx\r\n");
}

TEST_CASE("any order of a side's segments, doubled or cut anew, gives the same streams") {
  const std::string text = [] {
    std::string lines = "EHLO a\r\n";
    for (int i = 0; i < 60; ++i) lines += "NOOP " + std::to_string(i) + "\r\n";
    return lines;
  }();
  std::mt19937 random(7);  // NOLINT: the same every time
  for (int round = 0; round < 200; ++round) {
    Pcap file;
    Talk talk(file);
    talk.handshake().server("220 mx ESMTP\r\n");
    std::vector<Segment> segments;
    for (int copy = 0; copy < 2; ++copy) {
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t size = std::min<std::size_t>(1 + random() % 40, text.size() - at);
        segments.push_back({C, talk.next(C) + static_cast<std::uint32_t>(at), talk.next(S), "A",
                            text.substr(at, size)});
        at += size;
      }
    }
    std::shuffle(segments.begin(), segments.end(), random);
    for (const Segment& segment : segments) talk.raw(segment);
    const Seen seen = see(file.octets());
    REQUIRE(seen.stream(1, C) == text);
    REQUIRE(seen.notices.empty());
  }
}
