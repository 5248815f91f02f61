// How much of a message is written down.

#include <string>

#include "tests/capture/wire_script.h"
#include "tests/catch.h"

using namespace smtpscope;
using namespace smtpscope::test;

namespace {

const Script kTransaction = {S("220 mx\r\n"), C("EHLO c\r\n"),
                             S("250-mx\r\n250-CHUNKING\r\n250 PIPELINING\r\n"),
                             C("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"), S("250 ok\r\n250 ok\r\n")};
const std::string kBefore = "EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n";

Script in_transaction(const Script& rest) {
  Script script = kTransaction;
  script.insert(script.end(), rest.begin(), rest.end());
  return script;
}

std::string kept(const Script& script, std::uint64_t limit) {
  const Sanitized result = sanitized(wire_events(script), SanitizerPolicy{.message_octets = limit});
  const std::string client = visible(result.events, Side::kClient);
  REQUIRE(client.starts_with(kBefore));
  return client.substr(kBefore.size());
}

}  // namespace

TEST_CASE("content beyond the limit is left out, the final dot stays") {
  const Script script = in_transaction(
      {C("DATA\r\n"), S("354 go\r\n"), C("0123456789\r\nabc\r\n.\r\nQUIT\r\n"), S("250 ok\r\n")});
  CHECK(kept(script, 0) == "DATA\r\n<15>\r\n.\r\nQUIT\r\n");
  CHECK(kept(script, 4) == "DATA\r\n0123<11>\r\n.\r\nQUIT\r\n");
  CHECK(kept(script, 14) == "DATA\r\n0123456789\r\nab<1>\r\n.\r\nQUIT\r\n");
  CHECK(kept(script, 15) == "DATA\r\n0123456789\r\nabc\r\n.\r\nQUIT\r\n");
  CHECK(kept(script, SanitizerPolicy::kEverything) == "DATA\r\n0123456789\r\nabc\r\n.\r\nQUIT\r\n");
}

TEST_CASE("the limit is that of a message, not of a read") {
  const Script script = in_transaction({C("DATA\r\n"), S("354 go\r\n"), C("0123456"), C("7890123"),
                                        C("4567890\r\n"), C("tail\r\n.\r\n"), S("250 ok\r\n")});
  CHECK(kept(script, 10) == "DATA\r\n0123456789<4><9><4>\r\n.\r\n");
}

TEST_CASE("each message has a limit of its own") {
  const Script message = {
      C("DATA\r\n"),          S("354 go\r\n"),          C("0123456789\r\n.\r\n"),
      S("250 ok\r\n"),        C("MAIL FROM:<a@b>\r\n"), S("250 ok\r\n"),
      C("RCPT TO:<a@b>\r\n"), S("250 ok\r\n")};
  Script script = in_transaction(message);
  script.insert(script.end(), message.begin(), message.end());
  const std::string one = "DATA\r\n01234<5>\r\n.\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\n";
  CHECK(kept(script, 5) == one + one);
}

TEST_CASE("chunks of one message share its limit") {
  const Script script =
      in_transaction({C("BDAT 8\r\n01234567"), S("250 ok\r\n"), C("BDAT 8\r\n01234567"),
                      S("250 ok\r\n"), C("BDAT 4 LAST\r\n0123QUIT\r\n"), S("250 ok\r\n")});
  CHECK(kept(script, 0) == "BDAT 8\r\n<8>BDAT 8\r\n<8>BDAT 4 LAST\r\n<4>QUIT\r\n");
  CHECK(kept(script, 10) == "BDAT 8\r\n01234567BDAT 8\r\n01<6>BDAT 4 LAST\r\n<4>QUIT\r\n");
}

TEST_CASE("several chunks in one read leave several holes") {
  const Script script =
      in_transaction({C("BDAT 4\r\n0123BDAT 3 LAST\r\n456MAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\n"
                        "BDAT 2 LAST\r\n78QUIT\r\n"),
                      S("250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n")});
  CHECK(kept(script, 0) ==
        "BDAT 4\r\n<4>BDAT 3 LAST\r\n<3>MAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\n"
        "BDAT 2 LAST\r\n<2>QUIT\r\n");
  CHECK(kept(script, 1) ==
        "BDAT 4\r\n0<3>BDAT 3 LAST\r\n<3>MAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\n"
        "BDAT 2 LAST\r\n7<1>QUIT\r\n");
}

TEST_CASE("credentials behind a message that was left out are masked") {
  const Script script =
      in_transaction({C("DATA\r\n"), S("354 go\r\n"), C("content\r\n.\r\nAUTH PLAIN AGFsaWNl\r\n"),
                      S("250 ok\r\n503 no\r\n")});
  const Sanitized result = sanitized(wire_events(script), SanitizerPolicy{.message_octets = 2});
  CHECK(visible(result.events, Side::kClient) ==
        kBefore + "DATA\r\nco<5>\r\n.\r\nAUTH PLAIN ########\r\n");
  bool seen = false;
  for (const EventCopy& each : result.events) {
    const auto* bytes = std::get_if<Bytes>(&each.event().body);
    if (!bytes || bytes->masked.empty()) continue;
    seen = true;
    REQUIRE(bytes->masked.size() == 1);
    CHECK(bytes->masked[0].offset == 2 + 5 + 11);
    CHECK(bytes->masked[0].octets == 8);
  }
  CHECK(seen);
}

TEST_CASE("facts of what is left out are kept") {
  const std::string content = "From: a\r\n\r\n\xc3\xa9\n..dot\r\n";
  const Script script = in_transaction(
      {C("DATA\r\n"), S("354 go\r\n"), C(content), C("more"), C("\r\n.\r\n"), S("250 ok\r\n")});
  const Sanitized result = sanitized(wire_events(script), SanitizerPolicy{.message_octets = 0});
  MessageScanner scanner;
  scanner.scan(octets_of(content));
  bool seen = false;
  for (const EventCopy& each : result.events) {
    const auto* bytes = std::get_if<Bytes>(&each.event().body);
    if (!bytes || !bytes->left_out || bytes->left_out->octets != content.size()) continue;
    seen = true;
    CHECK(bytes->left_out->after == scanner);
  }
  CHECK(seen);
}

TEST_CASE("octets that may be commands behind an end-of-data candidate stay") {
  // The server takes LF.LF for the end, and what follows for a second message.
  const std::string smuggled =
      "hello\n.\nMAIL FROM:<x@y>\r\nRCPT TO:<z@y>\r\nDATA\r\nspam\r\n.\r\n";
  const Script script = in_transaction({C("DATA\r\n"), S("354 go\r\n"), C(smuggled.substr(0, 20)),
                                        C(smuggled.substr(20)), S("250 ok\r\n")});
  const std::string client = kept(script, 0);
  // The strict end came in the second read, so only that one may be left out.
  CHECK(client.starts_with("DATA\r\n" + smuggled.substr(0, 20)));
  const Script answered = in_transaction({C("DATA\r\n"), S("354 go\r\n"), C(smuggled.substr(0, 20)),
                                          S("250 ok\r\n"), C(smuggled.substr(20))});
  CHECK(kept(answered, 0).find("RCPT TO:<z@y>") != std::string::npos);
}

TEST_CASE("what is behind an end-of-data candidate stays with it") {
  // Nobody takes the candidate for the end, but the rules ask what would have come behind it.
  const std::string before(1000, 'x');
  const std::string behind = "MAIL FROM:<x@y>\r\n";
  const Script script =
      in_transaction({C("DATA\r\n"), S("354 go\r\n"), C(before + "\r\n.\n" + behind + "\r\n.\r\n"),
                      S("250 ok\r\n")});
  CHECK(kept(script, 0) == "DATA\r\n<999>x\r\n.\n" + behind + "\r\n.\r\n");
  const std::string too_long(20000, 'y');
  const Script longer = in_transaction(
      {C("DATA\r\n"), S("354 go\r\n"), C("\r\n.\n" + too_long + "\r\n.\r\n"), S("250 ok\r\n")});
  CHECK(kept(longer, 0) == "DATA\r\n<20004>\r\n.\r\n");
}

TEST_CASE("content that came while a barrier stood stays") {
  const Script early =
      in_transaction({C("DATA\r\ncontent\r\n"), S("354 go\r\n"), C("more\r\n.\r\n")});
  CHECK(kept(early, 0) == "DATA\r\ncontent\r\n<4>\r\n.\r\n");
}

TEST_CASE("what decides about octets before it stays") {
  // The reply to AUTH is lost; the line end in the last read shows that BDAT is a command.
  const Script script = in_transaction({C("AUTH LOGIN\r\nBDAT 9\r\n"), gap(Side::kServer, 0),
                                        C("12345\r\n89"), C("BDAT 4 LAST\r\n0123")});
  CHECK(kept(script, 1) == "AUTH LOGIN\r\nBDAT 9\r\n12345\r\n89BDAT 4 LAST\r\n<4>");
}
