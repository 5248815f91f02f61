#include "net/address.h"

#include "net/allow_list.h"
#include "tests/catch.h"

namespace smtpscope {
namespace {

SocketAddress address(const std::string& host, std::uint16_t port = 25) {
  const auto found = SocketAddress::from_numeric(host, port);
  REQUIRE(found);
  return *found;
}

}  // namespace

TEST_CASE("upstreams as users write them") {
  const auto text = [](std::string_view given) {
    const auto endpoint = parse_upstream(given);
    return endpoint ? endpoint.value().text() : endpoint.error().message.substr(0, 10);
  };
  CHECK(text("mx.example:2525") == "mx.example:2525");
  CHECK(text("mx.example") == "mx.example:25");
  CHECK(text("[2001:db8::1]:25") == "[2001:db8::1]:25");
  CHECK(text("[::1]") == "[::1]:25");
  CHECK(text("unix:/run/dovecot/lmtp") == "unix:/run/dovecot/lmtp");
  CHECK(text("sink") == "sink");
  CHECK(text("replay:run.smtpcap") == "replay:run.smtpcap");
  CHECK(text("script:a:b.txt") == "script:a:b.txt");

  for (const char* wrong : {"", ":25", "mx:", "mx:0", "mx:65536", "mx:25x", "mx:-1", "::1", "[::1",
                            "[::1]25", "2525", "unix:", "replay:", "script:"}) {
    CAPTURE(wrong);
    CHECK(text(wrong) == "cannot use");
  }
  CHECK(text("unix:/" + std::string(107, 'x')) == "cannot use");
  CHECK(text("unix:/" + std::string(106, 'x')) == "unix:/" + std::string(106, 'x'));
}

TEST_CASE("listeners as users write them") {
  const auto text = [](std::string_view given) {
    const auto endpoint = parse_listen(given);
    return endpoint ? endpoint.value().text() : endpoint.error().message.substr(0, 13);
  };
  CHECK(text("2525") == "2525");
  CHECK(text("0") == "0");
  CHECK(text("127.0.0.1:2525") == "127.0.0.1:2525");
  CHECK(text("[::]:25") == "[::]:25");
  CHECK(text("localhost:0") == "localhost:0");
  for (const char* wrong :
       {"", "localhost", "127.0.0.1", ":2525", "65536", "1:2:3", "[::1]", "99999999999"}) {
    CAPTURE(wrong);
    CHECK(text(wrong) == "cannot listen");
  }
}

TEST_CASE("socket addresses in words") {
  CHECK(address("192.0.2.10", 50114).text() == "192.0.2.10:50114");
  CHECK(address("0.0.0.0", 1).text() == "0.0.0.0:1");
  CHECK(address("255.1.20.199", 65535).text() == "255.1.20.199:65535");
  CHECK(address("2001:db8::1", 25).text() == "[2001:db8::1]:25");
  CHECK(address("::ffff:192.0.2.10", 25).text() == "192.0.2.10:25");
  CHECK_FALSE(SocketAddress::from_numeric("localhost", 25));
}

TEST_CASE("loopback addresses") {
  CHECK(address("127.0.0.1").is_loopback());
  CHECK(address("127.255.0.9").is_loopback());
  CHECK(address("::1").is_loopback());
  CHECK(address("::ffff:127.0.0.1").is_loopback());
  CHECK_FALSE(address("128.0.0.1").is_loopback());
  CHECK_FALSE(address("0.0.0.0").is_loopback());
  CHECK_FALSE(address("::").is_loopback());
}

TEST_CASE("wildcard addresses") {
  CHECK(address("0.0.0.0").is_wildcard());
  CHECK(address("::").is_wildcard());
  CHECK_FALSE(address("127.0.0.1").is_wildcard());
  CHECK_FALSE(address("::1").is_wildcard());
}

TEST_CASE("the allow list admits loopback and the networks named, nobody else") {
  AllowList list;
  CHECK(list.admits(address("127.0.0.1")));
  CHECK(list.admits(address("::1")));
  CHECK_FALSE(list.admits(address("192.0.2.1")));
  CHECK(list.empty());

  REQUIRE(list.add("192.0.2.0/24"));
  REQUIRE(list.add("198.51.100.64/27"));
  REQUIRE(list.add("203.0.113.9"));
  REQUIRE(list.add("2001:db8:8000::/33"));
  CHECK_FALSE(list.empty());
  CHECK(list.admits(address("192.0.2.255")));
  CHECK_FALSE(list.admits(address("192.0.3.0")));
  CHECK(list.admits(address("198.51.100.95")));
  CHECK_FALSE(list.admits(address("198.51.100.96")));
  CHECK_FALSE(list.admits(address("198.51.100.63")));
  CHECK(list.admits(address("203.0.113.9")));
  CHECK_FALSE(list.admits(address("203.0.113.8")));
  CHECK(list.admits(address("2001:db8:ffff::1")));
  CHECK_FALSE(list.admits(address("2001:db8:7fff::1")));
  // A dual-stack listener gives IPv4 clients an IPv6 form.
  CHECK(list.admits(address("::ffff:192.0.2.7")));
  CHECK_FALSE(list.admits(address("::ffff:192.0.3.7")));
}

TEST_CASE("everybody is let in only when that is said in so many words") {
  for (const char* everybody : {"0.0.0.0/0", "::/0"}) {
    AllowList list;
    const auto refused = list.add(everybody);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("say --allow-everyone") != std::string::npos);
    CHECK(list.empty());
    CHECK_FALSE(list.admits(address("203.0.113.9")));

    list.add_everyone();
    CHECK_FALSE(list.empty());
    CHECK(list.add(everybody));
    CHECK(list.admits(address("203.0.113.9")));
    CHECK(list.admits(address("2001:db8::1")));
  }
}

TEST_CASE("addresses that programs read differently are refused, with what to write") {
  AllowList list;
  const auto said = [&](const char* text) {
    const auto added = list.add(text);
    return added ? std::string("added") : added.error().message;
  };
  const auto advises = [&](const char* text, const std::string& right) {
    INFO(text);
    INFO(said(text));
    CHECK(said(text).find("if " + right + " is meant, write that") != std::string::npos);
  };
  advises("010.0.0.0/8", "10.0.0.0/8");
  advises("10.0/16", "10.0.0.0/16");
  advises("10.1/16", "10.1.0.0/16");
  advises("192.168/16", "192.168.0.0/16");
  advises("0x0a000000/8", "10.0.0.0/8");
  advises("0/0", "0.0.0.0/0");
  advises("192.0.2.001", "192.0.2.1");
  CHECK(said("::ffff:10.0.0.0/104").find("write 10.0.0.0/8") != std::string::npos);
  for (const char* wrong : {"10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/-1", "10.0.0.0/8/8",
                            "[2001:db8::]/32", "fe80::1%lo", "10.0.0.256", "10.0.0.0.0/8", "1..2",
                            "192.0.2.1 ", " 192.0.2.1", "0xg/8", "10.0.0.0/ 8"}) {
    CAPTURE(wrong);
    CHECK(said(wrong).starts_with("cannot allow '"));
  }
  CHECK(list.empty());
}

TEST_CASE("nor are they taken for servers, listeners or names") {
  for (const char* doubtful : {"010.0.0.1", "0x7f000001", "0x7f.1", "127.1", "10.0.0.08",
                               "1.2.3.4.", "1.2.3.256", "mx.0x1"}) {
    CAPTURE(doubtful);
    const std::string with_port = std::string(doubtful) + ":25";
    CHECK_FALSE(parse_upstream(with_port));
    CHECK_FALSE(parse_listen(with_port));
    CHECK_FALSE(SocketAddress::from_numeric(doubtful, 25));
  }
  for (const char* fine : {"mx1.example", "0x.example", "10.0.0.1", "1.example.", "mx-25"}) {
    CAPTURE(fine);
    CHECK(parse_upstream(std::string(fine) + ":25"));
  }
  CHECK(SocketAddress::from_numeric("fe80::1%lo", 25));
}

TEST_CASE("networks that cannot be meant are refused") {
  AllowList list;
  for (const char* wrong : {"", "/24", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/x", "192.0.2.0/24 ",
                            "example.com", "192.0.2.7/24", "2001:db8::/129", "2001:db8::1/32"}) {
    CAPTURE(wrong);
    CHECK_FALSE(list.add(wrong));
  }
  CHECK(list.empty());
}

}  // namespace smtpscope
