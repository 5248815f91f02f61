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
    const Sanitized result = sanitized(raw, SanitizerPolicy{});
    INFO("reads of " << size << " octets\n" << to_text(script));
    CHECK(visible(result.events, Side::kClient) == client);
    CHECK(visible(result.events, Side::kServer) == server);
    REQUIRE(result.events.size() == raw.size());
    for (std::size_t i = 0; i < raw.size(); ++i) {
      CHECK(result.events[i].event().time == raw[i].event().time);
      CHECK(result.events[i].event().body.index() == raw[i].event().body.index());
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
  const Sanitized result = sanitized(wire_events(script), SanitizerPolicy{});
  const Bytes& bytes = std::get<Bytes>(result.events.at(3).event().body);
  REQUIRE(bytes.masked.size() == 1);
  CHECK(bytes.masked[0].offset == 17);
  CHECK(bytes.masked[0].octets == 8);
}

TEST_CASE("kept credentials are neither masked nor held back") {
  const Script script = after_hello({C("AUTH PLAIN AGFsaWNl\r\n"), S("235 ok\r\n")});
  EventKeeper keeper;
  Sanitizer sanitizer(SanitizerPolicy{.keep_credentials = true}, &keeper, nullptr);
  const std::vector<EventCopy> raw = wire_events(script, [] { return std::size_t{3}; });
  for (std::size_t i = 0; i < raw.size(); ++i) {
    sanitizer.feed(raw[i].event());
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
  Sanitizer sanitizer(SanitizerPolicy{}, &keeper, nullptr);
  const auto feed = [&](Side side, std::string_view text) {
    Bytes bytes;
    bytes.from = side;
    bytes.head = octets_of(text);
    sanitizer.feed({1, at_ns(0), bytes});
    return keeper.events.size();
  };
  CHECK(feed(Side::kServer, "220 mx\r\n") == 1);
  CHECK(feed(Side::kClient, "NOO") == 1);  // no verb yet
  CHECK(feed(Side::kClient, "P x") == 3);
  CHECK(feed(Side::kClient, "\r\n") == 4);
  CHECK(feed(Side::kClient, "AU") == 4);
  CHECK(feed(Side::kServer, "250 ok\r\n") == 4);
  CHECK(feed(Side::kClient, "TH PLAIN AGFs") == 4);
  CHECK(feed(Side::kClient, "aWNl\r\n") == 8);
  CHECK(visible(keeper.events, Side::kClient) == "NOOP x\r\nAUTH PLAIN ########\r\n");
}

TEST_CASE("a long line that no login can be is written as it comes") {
  EventKeeper keeper;
  Sanitizer sanitizer(SanitizerPolicy{}, &keeper, nullptr);
  const std::string piece(1000, 'x');
  for (int i = 0; i < 100; ++i) {
    Bytes bytes;
    bytes.from = Side::kClient;
    bytes.head = octets_of(piece);
    sanitizer.feed({1, at_ns(0), bytes});
  }
  CHECK(keeper.events.size() == 100);
  CHECK(visible(keeper.events, Side::kClient) == std::string(100'000, 'x'));
}

TEST_CASE("what a server repeats of a login is masked in its replies") {
  expect_visible(
      after_hello({C("AUTH LOGIN\r\n"), S("334 VXNlcm5hbWU6\r\n"), C("YWxpY2U=\r\n"),
                   S("334 UGFzc3dvcmQ6\r\n"), C("S3g5dlEyIXB3\r\n"),
                   S("535-bad credentials: alice / Kx9vQ2!pw\r\n535 (S3g5dlEyIXB3)\r\n"),
                   C("S3g5dlEyIXB3\r\n"), S("500 5.3.3 Unrecognized command 'S3g5dlEy...'\r\n"),
                   C("NOOP\r\n"), S("250 bye Kx9vQ2!pw\r\n"), C("MAIL FROM:<alice@b>\r\n"),
                   S("250 2.1.0 <alice@b> ok\r\n")}),
      "EHLO c\r\nAUTH LOGIN\r\n########\r\n############\r\n############\r\nNOOP\r\n"
      "MAIL FROM:<alice@b>\r\n",
      kServerHello +
          "334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n535-bad credentials: ##### / "
          "#########\r\n535 (############)\r\n500 5.3.3 Unrecognized command "
          "'########...'\r\n250 bye #########\r\n250 2.1.0 <alice@b> ok\r\n");
}

TEST_CASE("so it is in a reply that the end cuts") {
  expect_visible(after_hello({C("AUTH PLAIN AGFsaWNlAEt4OXZRMiFwdw==\r\n"),
                              S("535 no Kx9vQ2!pw and AGFsaWNlAEt4OXZR"), eof(Side::kServer)}),
                 "EHLO c\r\nAUTH PLAIN ########################\r\n",
                 kServerHello + "535 no ######### and ################");
}

TEST_CASE("what follows a 334 is a response, whatever the server took for AUTH") {
  const std::string challenges = "334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 ok\r\n";
  expect_visible(
      after_hello({S("334 VXNlcm5hbWU6\r\n"), C("YWxpY2U=\r\n"), S("334 UGFzc3dvcmQ6\r\n"),
                   C("c2VjcmV0\r\n"), S("235 ok\r\n"), C("NOOP\r\n")}),
      "EHLO c\r\n########\r\n########\r\nNOOP\r\n", kServerHello + challenges);
  expect_visible(after_hello({C("MYAUTH\r\n"), S("334 VXNlcm5hbWU6\r\n"), C("YWxpY2U=\r\n"),
                              S("334 UGFzc3dvcmQ6\r\n"), C("c2VjcmV0\r\n"), S("235 ok\r\n")}),
                 "EHLO c\r\nMYAUTH\r\n########\r\n########\r\n", kServerHello + challenges);
  // A command is none.
  expect_visible(
      after_hello({S("334 a\r\n"), C("MAIL FROM:<a@b>\r\n"), S("250 ok\r\n"), C("xy\r\n")}),
      "EHLO c\r\nMAIL FROM:<a@b>\r\nxy\r\n", kServerHello + "334 a\r\n250 ok\r\n");
}

TEST_CASE("credentials where no AUTH is") {
  using namespace std::string_literals;
  const std::pair<std::string, std::string> lines[] = {
      {"BURL imap://a@x/b;uid=2;urlauth=submit+a:internal:91354a47 LAST",
       "BURL imap://a@x/b;uid=2;urlauth=submit+a:internal:######## LAST"},
      {"AUTHPLAIN AGFsaWNlAHNlY3JldA==", "AUTHPLAIN ####################"},
      {"\0AUTH PLAIN secret"s, "\0AUTH PLAIN ######"s},
      {"\xef\xbb\xbf"
       "AUTH PLAIN secret",
       "\xef\xbb\xbf"
       "AUTH PLAIN ######"},
      {"X\b\bAUTH PLAIN secret", "X\b\bAUTH PLAIN ######"},
      {"NOOP\rAUTH PLAIN secret", "NOOP\rAUTH PLAIN ######"},
      {"PASS secret", "PASS ######"},
      {"LOGIN alice secret", "LOGIN ############"},
      {"a1 LOGIN alice secret", "a1 LOGIN ############"},
      {"Authorization: Basic YWxpY2U6c2VjcmV0", "Authorization: Basic ################"},
      {"ATUH PLAIN AGFsaWNlAHNlY3JldA==", "ATUH PLAIN ####################"},
  };
  for (const auto& [line, shown] : lines) {
    expect_visible(after_hello({C(line + "\r\n"), S("500 what\r\n"), C("QUIT\r\n")}),
                   "EHLO c\r\n" + shown + "\r\nQUIT\r\n", kServerHello + "500 what\r\n");
  }
}

TEST_CASE("an endless response is masked and written before it takes too much memory") {
  EventKeeper keeper;
  Sanitizer sanitizer(SanitizerPolicy{}, &keeper, nullptr);
  const auto feed = [&](Side side, std::string_view text) {
    Bytes bytes;
    bytes.from = side;
    bytes.head = octets_of(text);
    sanitizer.feed({1, at_ns(0), bytes});
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
  CHECK(most_waiting <= Sanitizer::kMaxHeld);
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
  const Sanitized result = sanitized(wire_events(script, [] { return std::size_t{100}; }), {});
  const std::string client = visible(result.events, Side::kClient);
  CHECK(client.find('s') == std::string::npos);
  CHECK(client.ends_with("#\n#\nQUIT\r\n"));
}
