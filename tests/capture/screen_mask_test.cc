// What may be written down of credentials: nothing, at any split.

#include <string>

#include "tests/capture/wire_script.h"
#include "tests/catch.h"

using namespace smtpscope;
using namespace smtpscope::test;

namespace {

const Script kHello = {S("220 mx\r\n"), C("EHLO c\r\n"), S("250-mx\r\n250 AUTH PLAIN LOGIN\r\n")};

Script after_hello(const Script& rest) {
  Script script = kHello;
  script.insert(script.end(), rest.begin(), rest.end());
  return script;
}

/// Both sides of the script must look like this in the record, whatever the reads.
void expect_visible(const Script& script, const std::string& client, const std::string& server) {
  for (std::size_t size = 1; size < 40; ++size) {
    const std::vector<EventCopy> raw = wire_events(script, [size] { return size; });
    const Screened screened = screen(raw, ScreenPolicy{});
    INFO("reads of " << size << " octets\n" << to_text(script));
    CHECK(visible(screened.events, Side::kClient) == client);
    CHECK(visible(screened.events, Side::kServer) == server);
    REQUIRE(screened.events.size() == raw.size());
    for (std::size_t i = 0; i < raw.size(); ++i) {
      CHECK(screened.events[i].event().time == raw[i].event().time);
      CHECK(screened.events[i].event().body.index() == raw[i].event().body.index());
    }
  }
}

const std::string kServerHello = "220 mx\r\n250-mx\r\n250 AUTH PLAIN LOGIN\r\n";

}  // namespace

TEST_CASE("an initial response is masked, and keeps its length") {
  expect_visible(
      after_hello({C("AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n"), S("235 ok\r\n"), C("QUIT\r\n")}),
      "EHLO c\r\nAUTH PLAIN ####################\r\nQUIT\r\n", kServerHello + "235 ok\r\n");
}

TEST_CASE("responses to challenges are masked") {
  expect_visible(after_hello({C("AUTH LOGIN\r\n"), S("334 VXNlcm5hbWU6\r\n"), C("YWxpY2U=\r\n"),
                              S("334 UGFzc3dvcmQ6\r\n"), C("c2VjcmV0\r\n"), S("235 ok\r\n"),
                              C("MAIL FROM:<a@b>\r\n")}),
                 "EHLO c\r\nAUTH LOGIN\r\n########\r\n########\r\nMAIL FROM:<a@b>\r\n",
                 kServerHello + "334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 ok\r\n");
}

TEST_CASE("responses sent before they were asked for are masked") {
  expect_visible(after_hello({C("AUTH LOGIN\r\nYWxpY2U=\r\nc2VjcmV0\r\n"), S("334 a\r\n"),
                              S("334 b\r\n235 ok\r\n"), C("QUIT\r\n")}),
                 "EHLO c\r\nAUTH LOGIN\r\n########\r\n########\r\nQUIT\r\n",
                 kServerHello + "334 a\r\n334 b\r\n235 ok\r\n");
}

TEST_CASE("responses behind a refused AUTH are masked until a command comes") {
  expect_visible(after_hello({C("AUTH LOGIN\r\nYWxpY2U=\r\nc2VjcmV0\r\n"), S("504 no\r\n"),
                              S("500 what\r\n500 what\r\n"), C("NOOP x\r\n"), C("YWxpY2U=\r\n")}),
                 "EHLO c\r\nAUTH LOGIN\r\n########\r\n########\r\nNOOP x\r\nYWxpY2U=\r\n",
                 kServerHello + "504 no\r\n500 what\r\n500 what\r\n");
}

TEST_CASE("a response cut by the end of the session is masked") {
  expect_visible(
      after_hello({C("AUTH LOGIN\r\n"), S("334 a\r\n"), C("YWxpY2"), eof(Side::kClient)}),
      "EHLO c\r\nAUTH LOGIN\r\n######", kServerHello + "334 a\r\n");
}

TEST_CASE("an AUTH line cut by the end of the session is masked") {
  expect_visible(after_hello({C("auth plain AGFsaWNl"), eof(Side::kClient)}),
                 "EHLO c\r\nauth plain ########", kServerHello);
}

TEST_CASE("without secrets nothing changes") {
  expect_visible(after_hello({C("AUTHX NOT A SECRET\r\nAUTO\r\nAUTH PLAIN =\r\n"),
                              S("500 a\r\n500 b\r\n334 \r\n"), C("*\r\n"), S("501 no\r\n")}),
                 "EHLO c\r\nAUTHX NOT A SECRET\r\nAUTO\r\nAUTH PLAIN =\r\n*\r\n",
                 kServerHello + "500 a\r\n500 b\r\n334 \r\n501 no\r\n");
}

TEST_CASE("masked octets are told") {
  const Script script =
      after_hello({C("NOOP\r\nAUTH PLAIN AGFsaWNl\r\n"), S("250 ok\r\n235 ok\r\n")});
  const Screened screened = screen(wire_events(script), ScreenPolicy{});
  const Bytes& bytes = std::get<Bytes>(screened.events.at(3).event().body);
  REQUIRE(bytes.masked.size() == 1);
  CHECK(bytes.masked[0].offset == 17);
  CHECK(bytes.masked[0].octets == 8);
}

TEST_CASE("kept credentials are neither masked nor held back") {
  const Script script = after_hello({C("AUTH PLAIN AGFsaWNl\r\n"), S("235 ok\r\n")});
  EventKeeper keeper;
  Screen screen(ScreenPolicy{.keep_credentials = true}, &keeper, nullptr);
  const std::vector<EventCopy> raw = wire_events(script, [] { return std::size_t{3}; });
  for (std::size_t i = 0; i < raw.size(); ++i) {
    screen.feed(raw[i].event());
    CHECK(keeper.events.size() == i + 1);
  }
  CHECK(visible(keeper.events, Side::kClient) == "EHLO c\r\nAUTH PLAIN AGFsaWNl\r\n");
  for (const EventCopy& each : keeper.events) {
    const auto* bytes = std::get_if<Bytes>(&each.event().body);
    if (bytes) CHECK(bytes->masked.empty());
  }
}

TEST_CASE("what may be a secret waits, and what comes behind it") {
  EventKeeper keeper;
  Screen screen(ScreenPolicy{}, &keeper, nullptr);
  const auto feed = [&](Side side, std::string_view text) {
    Bytes bytes;
    bytes.from = side;
    bytes.head = octets_of(text);
    screen.feed({1, at_ns(0), bytes});
    return keeper.events.size();
  };
  CHECK(feed(Side::kServer, "220 mx\r\n") == 1);
  CHECK(feed(Side::kClient, "NOO") == 2);
  CHECK(feed(Side::kClient, "P\r\n") == 3);
  CHECK(feed(Side::kClient, "AU") == 3);
  CHECK(feed(Side::kServer, "250 ok\r\n") == 3);
  CHECK(feed(Side::kClient, "TH PLAIN AGFs") == 3);
  CHECK(feed(Side::kClient, "aWNl\r\n") == 7);
  CHECK(visible(keeper.events, Side::kClient) == "NOOP\r\nAUTH PLAIN ########\r\n");
}

TEST_CASE("an endless response is masked and written before it takes too much memory") {
  EventKeeper keeper;
  Screen screen(ScreenPolicy{}, &keeper, nullptr);
  const auto feed = [&](Side side, std::string_view text) {
    Bytes bytes;
    bytes.from = side;
    bytes.head = octets_of(text);
    screen.feed({1, at_ns(0), bytes});
  };
  for (const Step& step : kHello) feed(step.side, step.octets);
  feed(Side::kClient, "AUTH LOGIN\r\n");
  feed(Side::kServer, "334 a\r\n");
  const std::string secret(64 * 1024, 'S');
  std::size_t fed = 0;
  std::size_t most_waiting = 0;
  for (int i = 0; i < 100; ++i) {
    feed(Side::kClient, secret);
    fed += secret.size();
    std::size_t kept = 0;
    for (const EventCopy& each : keeper.events) {
      const auto* bytes = std::get_if<Bytes>(&each.event().body);
      if (bytes && bytes->octets() == secret.size()) kept += secret.size();
    }
    most_waiting = std::max(most_waiting, fed - kept);
  }
  CHECK(most_waiting <= Screen::kMaxHeld);
  feed(Side::kClient, "SS\r\n");
  feed(Side::kServer, "235 ok\r\n");
  feed(Side::kClient, "QUIT\r\n");
  const std::string client = visible(keeper.events, Side::kClient);
  CHECK(client == "EHLO c\r\nAUTH LOGIN\r\n" + std::string(fed + 2, '#') + "\r\nQUIT\r\n");
}

TEST_CASE("many lines that may be secrets are masked in little time") {
  // A line of two octets each, all of them suspect behind a refused AUTH.
  Script script = after_hello({C("AUTH LOGIN\r\n")});
  std::string lines;
  for (int i = 0; i < 60000; ++i) lines += "s\n";
  script.push_back(C(lines));
  script.push_back(S("504 no\r\n"));
  script.push_back(C("QUIT\r\n"));
  const Screened screened = screen(wire_events(script, [] { return std::size_t{100}; }), {});
  const std::string client = visible(screened.events, Side::kClient);
  CHECK(client.find('s') == std::string::npos);
  CHECK(client.ends_with("#\n#\nQUIT\r\n"));
}
