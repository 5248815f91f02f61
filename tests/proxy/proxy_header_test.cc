#include "proxy/identity/proxy_header.h"

#include <string>

#include "base/octets.h"
#include "tests/catch.h"

namespace smtpscope {
namespace {

SocketAddress address(const std::string& host, std::uint16_t port) {
  return *SocketAddress::from_numeric(host, port);
}

/// Gives all octets, `step` at a time, and what is left of them.
std::size_t feed(ProxyHeaderReader& reader, std::string_view octets, std::size_t step) {
  std::size_t taken = 0;
  while (taken < octets.size() && reader.state() == ProxyHeaderReader::State::kMore) {
    const std::string_view piece = octets.substr(taken, step);
    taken += reader.receive(octets_of(piece));
  }
  return taken;
}

std::string fault_of(std::string_view octets) {
  ProxyHeaderReader reader;
  feed(reader, octets, octets.size());
  return reader.state() == ProxyHeaderReader::State::kWrong ? reader.fault() : "";
}

std::string binary(std::string_view command_and_family, std::string_view rest) {
  std::string header("\r\n\r\n\0\r\nQUIT\n", 12);
  header += command_and_family;
  header += static_cast<char>(rest.size() >> 8);
  header += static_cast<char>(rest.size() & 0xff);
  header += rest;
  return header;
}

const std::string kFromFour("\xc0\x00\x02\x0a\xcb\x00\x71\x19\x9c\x40\x00\x19", 12);

}  // namespace

TEST_CASE("a header says who connects, in the words of each version") {
  const ConnectionEnds four{address("192.0.2.10", 40000), address("203.0.113.25", 25)};
  CHECK(proxy_header_v1(four) == "PROXY TCP4 192.0.2.10 203.0.113.25 40000 25\r\n");
  CHECK(proxy_header_v2(four) == binary("\x21\x11", kFromFour));

  const ConnectionEnds six{address("2001:db8::1", 40000), address("2001:db8::25", 25)};
  CHECK(proxy_header_v1(six) == "PROXY TCP6 2001:db8::1 2001:db8::25 40000 25\r\n");
}

TEST_CASE("both ends are of one family") {
  const ConnectionEnds mixed{address("192.0.2.10", 40000), address("2001:db8::25", 25)};
  CHECK(proxy_header_v1(mixed) == "PROXY TCP6 ::ffff:192.0.2.10 2001:db8::25 40000 25\r\n");
  const ConnectionEnds mapped{address("::ffff:192.0.2.10", 40000), address("203.0.113.25", 25)};
  CHECK(proxy_header_v1(mapped) == "PROXY TCP4 192.0.2.10 203.0.113.25 40000 25\r\n");
}

TEST_CASE("what is written is read, in whatever pieces, and nothing behind it") {
  for (const ConnectionEnds& ends :
       {ConnectionEnds{address("192.0.2.10", 1), address("203.0.113.25", 65535)},
        ConnectionEnds{address("2001:db8::1", 40000), address("::1", 25)}}) {
    for (const std::string& header : {proxy_header_v1(ends), proxy_header_v2(ends)}) {
      for (const std::size_t step : {1U, 2U, 7U, 15U, 16U, 17U, 1000U}) {
        ProxyHeaderReader reader;
        CHECK(feed(reader, header + "EHLO a\r\n", step) == header.size());
        REQUIRE(reader.state() == ProxyHeaderReader::State::kWhole);
        REQUIRE(reader.ends());
        CHECK(reader.ends()->client.text() == ends.client.text());
        CHECK(reader.ends()->destination.text() == ends.destination.text());
      }
    }
  }
}

TEST_CASE("senders that name nobody speak for themselves") {
  const std::string lines[] = {
      "PROXY UNKNOWN\r\n",
      "PROXY UNKNOWN ffff::1 what:ever 1 2\r\n",
      binary("\x20\x11", kFromFour),               // LOCAL: to be skipped
      binary(std::string("\x20\x00", 2), ""),      //
      binary(std::string("\x21\x00", 2), "any"),   // UNSPEC
      binary("\x21\x31", std::string(216, '\0')),  // a Unix socket
  };
  for (const std::string& header : lines) {
    ProxyHeaderReader reader;
    CHECK(feed(reader, header, header.size()) == header.size());
    CHECK(reader.state() == ProxyHeaderReader::State::kWhole);
    CHECK_FALSE(reader.ends());
  }
}

TEST_CASE("extensions are skipped, but a checksum has to be right") {
  const std::string extension("\x02\x00\x02hi", 5);
  ProxyHeaderReader reader;
  const std::string header = binary("\x21\x11", kFromFour + extension);
  CHECK(feed(reader, header, 5) == header.size());
  CHECK(reader.state() == ProxyHeaderReader::State::kWhole);

  // Made with HAProxy 2.6: send-proxy-v2 proxy-v2-options crc32c.
  const std::string empty_sum("\x03\x00\x04\x00\x00\x00\x00", 7);
  CHECK(fault_of(binary("\x21\x11", kFromFour + empty_sum)) ==
        "the checksum of its PROXY header is wrong");
  CHECK(fault_of(binary("\x21\x11", kFromFour + std::string("\x02\x00\x09hi", 5))) ==
        "an extension of its PROXY header is cut short");
}

TEST_CASE("what is no header is told") {
  CHECK(fault_of("EHLO client.example\r\n") == "it does not begin with a PROXY header");
  CHECK(fault_of("\r\n\r\nx") == "it does not begin with a PROXY header");
  CHECK(fault_of("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n") == "its PROXY header ends in a bare LF");
  CHECK(fault_of("PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n") ==
        "an address in its PROXY header is malformed");
  CHECK(fault_of("PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n") ==
        "an address in its PROXY header is malformed");
  CHECK(fault_of("PROXY TCP4 2001:db8::1 192.0.2.2 1 2\r\n") ==
        "an address in its PROXY header is malformed");
  CHECK(fault_of("PROXY TCP4 192.0.2.1  192.0.2.2 1 2\r\n") == "its PROXY header is malformed");
  CHECK(fault_of("PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n") == "its PROXY header is malformed");
  CHECK(fault_of("PROXY TCP4 " + std::string(200, '1')) ==
        "its PROXY header is longer than 107 octets");
  CHECK(fault_of(binary("\x11\x11", kFromFour)) == "its PROXY header has version and command 0x11");
  CHECK(fault_of(binary("\x21\x12", kFromFour)) ==
        "its PROXY header tells of a protocol 0x12, not of TCP");
  CHECK(fault_of(binary("\x21\x21", kFromFour)) == "its PROXY header is too short");
}

}  // namespace smtpscope
