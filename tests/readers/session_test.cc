// Which connections are shown, as what, and in which order.

#include <string>

#include "readers/packets/flow_table.h"
#include "readers/packets/smtp_signs.h"
#include "tests/catch.h"
#include "tests/readers/packet_kit.h"

using namespace smtpscope;
using namespace smtpscope::test;

namespace {

/// On a port that is not mail's.
Ends elsewhere(std::uint16_t client_port = 40000) {
  return {.client_port = client_port, .server_port = 8025};
}

Seen see_dialogue(const std::vector<std::pair<Side, std::string>>& said, Ends ends = elsewhere()) {
  Pcap file;
  Talk talk(file, std::move(ends));
  talk.handshake();
  for (const auto& [from, text] : said) talk.say(from, text);
  talk.close();
  return see(file.octets());
}

}  // namespace

TEST_CASE("SMTP is known on any port by what is said") {
  const std::vector<std::vector<std::pair<Side, std::string>>> mail = {
      {{S, "220 mx.example ESMTP\r\n"}},
      {{S, "220-mx.example\r\n220 LMTP\r\n"}},
      {{S, "220 mx ready\r\n"}, {C, "EHLO a\r\n"}},
      {{S, "220 "}, {S, "mx ready\r\n"}, {C, "he"}, {C, "lo a\r\n"}},
      {{C, "EHLO a\r\n"}},
      {{C, "RSET\r\nMAIL FROM:<a@b>\r\n"}},
      {{S, "554 no SMTP service here\r\n"}, {C, "QUIT\r\n"}},
      {{C, "PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n"}, {S, "220 mx ESMTP\r\n"}},
  };
  for (const auto& dialogue : mail) {
    const Seen seen = see_dialogue(dialogue);
    INFO(dialogue.front().second);
    CHECK(seen.session(1).back() == "end");
    std::string said;
    for (const auto& [from, text] : dialogue) said += from == C ? text : "";
    CHECK(seen.stream(1, C) == said);
    CHECK(seen.notices.empty());
  }
}

TEST_CASE("what is not SMTP is left out, and counted") {
  const std::vector<std::vector<std::pair<Side, std::string>>> others = {
      {{C, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"}, {S, "HTTP/1.1 200 OK\r\n\r\n"}},
      {{S, "SSH-2.0-OpenSSH_9.2\r\n"}},
      {{S, "220 ftp.example FTP server ready\r\n"}, {C, "USER anonymous\r\n"}},
      {{S, "+OK POP3 ready\r\n"}, {C, "QUIT\r\n"}},
      {{C, std::string(5000, '\x80')}},
      {{S, "220 who knows\r\n"}},
  };
  for (const auto& dialogue : others) {
    INFO(dialogue.front().second.substr(0, 40));
    const Seen seen = see_dialogue(dialogue);
    CHECK(seen.events.empty());
    CHECK(seen.told("1 connection that is not SMTP left out"));
  }
  const Seen tls = see_dialogue({{C, std::string("\x16\x03\x01\x02\x00\x01", 6)}});
  CHECK(tls.told("(1 of them TLS from the first octet)"));
}

TEST_CASE("on a port of mail everything is shown, also what is encrypted or says nothing") {
  const std::string hello("\x16\x03\x01\x02\x00\x01", 6);
  const Ends smtps{.server_port = 465};
  CHECK(see_dialogue({{C, hello}}, smtps).stream(1, C) == hello);
  const Ends smtp;
  CHECK(see_dialogue({{C, "GET / HTTP/1.1\r\n"}}, smtp).stream(1, C) == "GET / HTTP/1.1\r\n");
  CHECK(see_dialogue({}, smtp).session(1).back() == "end");
}

TEST_CASE("--port shows what is said there, and nothing else") {
  Pcap file;
  Talk odd(file, {.server_port = 9999});
  odd.handshake().client("anything\r\n").close();
  Talk mail(file, {.client_port = 40001});
  short_session(mail);
  const Seen seen = see(file.octets(), {9999});
  CHECK(seen.stream(1, C) == "anything\r\n");
  CHECK(seen.session(2).empty());
  CHECK(see(file.octets()).stream(1, C) == "EHLO a\r\nQUIT\r\n");
}

TEST_CASE("SMTP through an HTTP proxy begins behind what was said to the proxy") {
  const Seen seen = see_dialogue({{C, "CONNECT mx.example:25 HTTP/1.0\r\nUser-Agent: x\r\n\r\n"},
                                  {S, "HTTP/1.0 200 Connection established\r\n"},
                                  {S, "\r\n220 mx ESMTP\r\n"},
                                  {C, "EHLO a\r\n"}});
  CHECK(seen.session(1).at(0) == "open 192.0.2.1:40000 > 198.51.100.7:8025 for mx.example:25");
  CHECK(seen.stream(1, S) == "220 mx ESMTP\r\n");
  CHECK(seen.stream(1, C) == "EHLO a\r\n");
  const Seen refused = see_dialogue(
      {{C, "CONNECT mx.example:25 HTTP/1.0\r\n\r\n"}, {S, "HTTP/1.0 403 Forbidden\r\n\r\n"}});
  CHECK(refused.events.empty());
}

TEST_CASE("sessions are numbered by their first packets, also where the port tells nothing") {
  Pcap file;
  Talk first(file, elsewhere(1));
  Talk second(file, elsewhere(2));
  first.handshake();
  second.wait(10'000).handshake().server("220 mx ESMTP\r\n");
  first.wait(20'000).server("220 mx ESMTP\r\n");
  Talk third(file, elsewhere(3));
  third.wait(50'000);
  short_session(third);
  const Seen seen = see(file.octets());
  for (const int number : {1, 2, 3}) {
    CHECK(seen.session(number).at(0) ==
          "open 192.0.2.1:" + std::to_string(number) + " > 198.51.100.7:8025");
  }
}

TEST_CASE("a connection that ended before its server was known to speak SMTP is shown with it") {
  Pcap file;
  Talk silent(file, elsewhere(1));
  silent.handshake().close();
  Talk speaking(file, elsewhere(2));
  speaking.wait(10'000);
  short_session(speaking);
  silent.wait(50'000).raw({C, silent.next(C), silent.next(S), "A", {}});  // a stray one
  const Seen seen = see(file.octets());
  CHECK(seen.session(1).at(0) == "open 192.0.2.1:1 > 198.51.100.7:8025");
  CHECK(seen.session(1).back() == "end");
  CHECK(seen.session(2).back() == "end");
  CHECK(seen.session(3).empty());
}

TEST_CASE("a connection joined later is shown when one of its ends is found to be a server") {
  Pcap file;
  Talk joined(file, elsewhere(1));
  joined.raw({C, joined.next(C), joined.next(S), "A", {}});
  Talk of_another_server(file, {.client_port = 2, .server_port = 8026});
  of_another_server.wait(5'000).raw({C, 1, 1, "A", {}});
  Talk speaking(file, elsewhere(3));
  speaking.wait(10'000);
  short_session(speaking);
  joined.wait(50'000).client("NOOP\r\n");
  const Seen seen = see(file.octets());
  CHECK(seen.session(1).at(0) == "open 192.0.2.1:3 > 198.51.100.7:8025");
  CHECK(seen.session(2).at(0) == "open 192.0.2.1:1 > 198.51.100.7:8025 mid");
  CHECK(seen.stream(2, C) == "NOOP\r\n");
  CHECK(seen.session(3).empty());
}

TEST_CASE("stamps that step back do not turn a session's time") {
  Pcap file;
  Talk talk(file);
  talk.handshake().server("220 mx ESMTP\r\n").wait(-2096).client("EHLO a\r\n");
  const Seen seen = see(file.octets());
  for (const std::string& line : seen.events) CHECK(line.find("EARLIER") == std::string::npos);
  CHECK(seen.notices.empty());
  talk.wait(10'000'000).server("250 mx\r\n").wait(-5'000'000).client("QUIT\r\n");
  CHECK(see(file.octets()).told("not in the order of time (up to 5.0 s back)"));
}

TEST_CASE("a connection idle for more than an hour is given up; it is joined when it goes on") {
  Pcap file;
  Talk talk(file);
  talk.handshake().server("220 mx ESMTP\r\n").wait(std::int64_t{4000} * 1'000'000);
  Talk other_one(file, {.client_port = 40001}, 1, 1);
  other_one.wait(std::int64_t{3999} * 1'000'000);
  short_session(other_one);
  talk.client("EHLO a\r\n");
  const Seen seen = see(file.octets());
  CHECK(seen.session(1).back() == "end");
  CHECK(seen.session(3).at(0) == "open 192.0.2.1:40000 > 198.51.100.7:25 mid");
}

TEST_CASE("a flood of connections takes bounded memory, and is told") {
  Pcap file;
  const std::size_t count = FlowTable::kMaxFlows + 100;
  for (std::size_t i = 0; i < count; ++i) {
    const Ends ends{.client = "10." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 255) +
                              "." + std::to_string(i & 255)};
    file.add(static_cast<std::int64_t>(i), ethernet(ipv4(tcp({C, 1, 0, "S", {}}, ends), ends, C)));
  }
  const Seen seen = see(file.octets());
  CHECK(seen.told("99 connections given up because too many were open at once"));
  CHECK(seen.session(1).at(1) == "failed: 198.51.100.7:25 did not answer 1 SYN");
}

TEST_CASE("an empty capture says so") { CHECK(see(Pcap().octets()).told("it holds no packet")); }
