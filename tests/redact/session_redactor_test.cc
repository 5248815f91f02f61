#include "redact/session_redactor.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "base/octets.h"
#include "capture/sanitizer.h"
#include "tests/catch.h"
#include "tests/redact/redacted.h"

namespace smtpscope::test {
namespace {

/// A session as events, a read per call.
class Script {
 public:
  Script() {
    add(SessionOpened{"10.17.3.9:50114", "10.17.3.1:2525", "mx.kestrel-mail.de:25"});
    add(UpstreamConnected{"10.17.3.25:25", Duration(5)});
  }
  Script& client(std::string_view text) { return say(Side::kClient, text); }
  Script& server(std::string_view text) { return say(Side::kServer, text); }
  Script& say(Side side, std::string_view text) {
    Bytes bytes;
    bytes.from = side;
    bytes.head = octets_of(text);
    return add(bytes);
  }
  template <typename Body>
  Script& add(const Body& body) {
    events_.emplace_back(
        WireEvent{1, at_ns(static_cast<std::int64_t>(events_.size()) * 1000), body});
    return *this;
  }
  Script& end() {
    add(Closed{Side::kClient, CloseKind::kFin, false, {}});
    add(Closed{Side::kServer, CloseKind::kFin, false, {}});
    return add(SessionEnded{});
  }
  const std::vector<EventCopy>& events() const { return events_; }

 private:
  std::vector<EventCopy> events_;
};

/// Greeted and known; what follows is commands.
Script greeted() {
  Script script;
  script.server("220 mx.kestrel-mail.de ESMTP Postfix\r\n");
  script.client("EHLO ws17.kestrel-mail.de\r\n");
  script.server(
      "250-mx.kestrel-mail.de Hello ws17.kestrel-mail.de [10.17.3.9]\r\n250-SIZE 35882577\r\n"
      "250-AUTH PLAIN LOGIN CRAM-MD5\r\n250-XKESTREL alice 1234567\r\n250-CHUNKING\r\n250 "
      "SMTPUTF8\r\n");
  return script;
}

/// What the client's line becomes.
std::string command(std::string_view line) {
  Script script = greeted();
  const std::string before =
      Redacted(script.events(), BodyPolicy::kShape).list.octets(Side::kClient);
  script.client(std::string(line) + "\r\n");
  script.end();
  const Redacted redacted(script.events(), BodyPolicy::kShape);
  CHECK(redacted.leaks.empty());
  CHECK(redacted.list.events().size() == script.events().size());
  return redacted.list.octets(Side::kClient).substr(before.size());
}

std::string redacted_reply(std::string_view lines) {
  Script script = greeted();
  const std::string before =
      Redacted(script.events(), BodyPolicy::kShape).list.octets(Side::kServer);
  script.client("NOOP\r\n").server(lines).end();
  const Redacted redacted(script.events(), BodyPolicy::kShape);
  CHECK(redacted.leaks.empty());
  return redacted.list.octets(Side::kServer).substr(before.size());
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

constexpr std::string_view kPrivate[] = {"alice", "kestrel", "10.17.3", "ws17",   "osprey",
                                         "Alice", "2a01",    "YWxp",    "257D2A", "secret"};

void check_nothing_private(std::string_view text) {
  for (const std::string_view each : kPrivate) {
    INFO(each << " in " << text);
    CHECK(!has(text, each));
  }
}

TEST_CASE("commands keep their form and lose their names") {
  const std::pair<std::string_view, std::string_view> kLines[] = {
      {"MAIL FROM:<alice@kestrel-mail.de> SIZE=12345678 BODY=8BITMIME",
       "> SIZE=12345678 BODY=8BITMIME"},
      {"MAIL FROM:<alice@kestrel-mail.de> AUTH=alice+40kestrel-mail.de ENVID=alice257D2A RET=HDRS",
       " RET=HDRS"},
      {"MAIL FROM:<alice@kestrel-mail.de> AUTH=<>", " AUTH=<>"},
      {"MAIL FROM:<> SMTPUTF8", "MAIL FROM:<> SMTPUTF8"},
      {"mail from:alice@kestrel-mail.de", "mail from:"},
      {"RCPT TO:<@osprey.net,@x.osprey.net:alice@kestrel-mail.de>", "RCPT TO:<@"},
      {"RCPT TO:<\"alice smith\"@kestrel-mail.de> NOTIFY=SUCCESS,FAILURE "
       "ORCPT=rfc822;alice+40kestrel-mail.de",
       " NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;"},
      {"RCPT TO:<alice@[10.17.3.9]>", "@["},
      {"RCPT TO:<alice@[IPv6:2a01:4f8::9]>", "@[IPv6:2001:db8:"},
      {"RCPT TO:<postmaster>", "RCPT TO:<postmaster>"},
      {"EHLO [10.17.3.9]", "EHLO ["},
      {"EHLO localhost", "EHLO localhost"},
      {"EHLO 10.17.3.9", "EHLO "},
      {"VRFY alice", "VRFY "},
      {"EXPN osprey-staff@kestrel-mail.de", "EXPN "},
      {"ETRN @kestrel-mail.de", "ETRN @"},
      {"XCLIENT NAME=ws17.kestrel-mail.de ADDR=10.17.3.9 PORT=50114 LOGIN=alice PROTO=ESMTP",
       " PORT=50114 LOGIN="},
      {"XFORWARD ADDR=IPv6:2a01:4f8::1 NAME=[UNAVAILABLE]", "NAME=[UNAVAILABLE]"},
      {"AUTH PLAIN YWxpY2UAYWxpY2UAc2VjcmV0", "AUTH PLAIN ########################"},
      {"HELP alice", "HELP "},
      {"NOOP secret257D2A", "NOOP "},
      {"KESTREL alice@kestrel-mail.de", ""},
      {"X-Kestrel-Header: alice secretly wrote this", ": "},
      {"GET /alice/secret HTTP/1.1", "HTTP/1.1"},
      {"STARTTLS alice", "STARTTLS "},
      {"QUIT", "QUIT"},
      {"", ""},
      {" \t ", " \t "},
  };
  for (const auto& [line, kept] : kLines) {
    const std::string is = command(line);
    INFO(line << " -> " << is);
    check_nothing_private(is);
    CHECK(has(is, kept));
    CHECK(is.ends_with("\r\n"));
  }
}

TEST_CASE("replies keep codes and standard words") {
  const std::pair<std::string_view, std::string_view> kLines[] = {
      {"550 5.1.1 <alice@kestrel-mail.de>: Recipient address rejected: User unknown in local "
       "recipient table\r\n",
       ": Recipient address rejected: User unknown in local recipient table\r\n"},
      {"450 4.2.0 <alice@kestrel-mail.de>: Recipient address rejected: Greylisted, see "
       "http://kestrel-mail.de/grey\r\n",
       "Greylisted, see http://"},
      {"554 5.7.1 Service unavailable; Client host [10.17.3.9] blocked using osprey.net\r\n",
       "554 5.7.1 Service unavailable; Client host ["},
      {"250 2.0.0 Ok: queued as 257D2AAC540\r\n", "250 2.0.0 Ok: queued as "},
      {"250 2.0.0 OK 1257D2A secret.257D2A - gsmtp\r\n", " - gsmtp\r\n"},
      {"421-4.4.2 ws17 timed out\r\n421 4.4.2 bye alice\r\n", " timed out\r\n421 4.4.2 bye "},
      {"334 YWxpY2U6\r\n", "334 "},
      {"334 VXNlcm5hbWU6\r\n", "334 VXNlcm5hbWU6\r\n"},
      {"252 Cannot VRFY user Alice\r\n", "252 Cannot VRFY user "},
      {"Kestrel says alice\r\n250 ok\r\n", "\r\n250 ok\r\n"},
      {"451 pregreylisting2kestrel\r\n", "greylist"},
      {"250\r\n", "250\r\n"},
      {"250 alice\n", "\n"},
      {"550 alice\r\r\n", "\r\r\n"},
  };
  for (const auto& [lines, kept] : kLines) {
    const std::string is = redacted_reply(lines);
    INFO(lines << " -> " << is);
    check_nothing_private(is);
    CHECK(has(is, kept));
    if (lines[0] != 'K') CHECK(is.substr(0, 3) == lines.substr(0, 3));
  }
}

TEST_CASE("a greeting and the extensions") {
  Script script = greeted();
  const Redacted redacted(script.events(), BodyPolicy::kDrop);
  const std::string is = redacted.list.octets(Side::kServer);
  INFO(is);
  check_nothing_private(is);
  CHECK(has(is, " ESMTP Postfix\r\n"));
  CHECK(has(is, "250-SIZE 35882577\r\n250-AUTH PLAIN LOGIN CRAM-MD5\r\n250-"));
  CHECK(has(is, "\r\n250-CHUNKING\r\n250 SMTPUTF8\r\n"));
  // The same name everywhere.
  const std::string greeting = is.substr(4, is.find(' ', 4) - 4);
  CHECK(has(is, "\r\n250-" + greeting + " Hello "));
  const std::string client = redacted.list.octets(Side::kClient);
  CHECK(has(is, client.substr(5, client.size() - 7)));
}

TEST_CASE("texts of events") {
  Script script;
  script.add(UpstreamFailed{"mx.kestrel-mail.de:25: connection refused (2 addresses tried)"});
  script.add(Closed{Side::kClient, CloseKind::kError, true, "10.17.3.9: connection reset by peer"});
  script.add(Gap{std::nullopt, 0, 3, "the disk of alice was full"});
  script.end();
  const Redacted redacted(script.events(), BodyPolicy::kDrop);
  CHECK(redacted.leaks.empty());
  REQUIRE(redacted.list.events().size() == script.events().size());
  const auto body = [&](std::size_t i) -> const auto& {
    return redacted.list.events()[i].event().body;
  };
  const auto& opened = std::get<SessionOpened>(body(0));
  CHECK(opened.client.ends_with(":50114"));
  CHECK(opened.upstream.ends_with(":25"));
  check_nothing_private(std::string(opened.client) + std::string(opened.listener) +
                        std::string(opened.upstream));
  check_nothing_private(std::get<UpstreamConnected>(body(1)).server);
  const std::string_view reason = std::get<UpstreamFailed>(body(2)).reason;
  CHECK(reason.ends_with(":25: connection refused (2 addresses tried)"));
  CHECK(reason.starts_with(opened.upstream));
  CHECK(std::get<Closed>(body(3)).reason.ends_with(": connection reset by peer"));
  CHECK(std::get<Gap>(body(4)).why.starts_with("the disk of "));
  check_nothing_private(std::get<Gap>(body(4)).why);
}

TEST_CASE("credentials that a capture holds are masked, and it is noted where") {
  Script script = greeted();
  script.client("AUTH LOGIN\r\n").server("334 VXNlcm5hbWU6\r\n");
  script.client("YWxpY2U=\r\n").server("334 UGFzc3dvcmQ6\r\n");
  script.client("c2VjcmV0\r\nMAIL FROM:<alice@kestrel-mail.de>\r\n").server("235 ok\r\n").end();
  const Redacted redacted(script.events(), BodyPolicy::kDrop);
  CHECK(redacted.leaks.empty());
  const std::string is = redacted.list.octets(Side::kClient);
  check_nothing_private(is);
  CHECK(has(is, "AUTH LOGIN\r\n########\r\n########\r\nMAIL FROM:<"));
  std::size_t masks = 0;
  for (const EventCopy& each : redacted.list.events()) {
    const auto* bytes = std::get_if<Bytes>(&each.event().body);
    if (bytes == nullptr) continue;
    for (const Masked& mask : bytes->masked) {
      ++masks;
      CHECK(text_of(bytes->head).substr(mask.offset, mask.octets) == "########");
    }
  }
  CHECK(masks == 2);
}

constexpr std::string_view kMultipart =
    "Received: from ws17.kestrel-mail.de ([10.17.3.9])\r\n\tby mx.kestrel-mail.de; Mon\r\n"
    "From: Alice <alice@kestrel-mail.de>\r\nSubject: =?utf-8?B?YWxpY2Ugc2VjcmV0?=\r\n"
    "Message-ID:\r\n <257D2A.secret@kestrel-mail.de>\r\nX-Kestrel-Scanned: yes\r\n"
    "Content-Type: multipart/mixed; boundary=\"kestrel--257D2A\"\r\n\r\npreamble of alice\r\n"
    "--kestrel--257D2A\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nalice, the secret at "
    "10.17.3.9\r\n..dots\r\n\r\n--kestrel--257D2A\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    "YWxpY2VAa2VzdHJlbC1tYWlsLmRl\r\n--kestrel--257D2A--\r\n.\r\n";

Script with_message(std::string_view message) {
  Script script = greeted();
  script.client("MAIL FROM:<alice@kestrel-mail.de>\r\n").server("250 ok\r\n");
  script.client("RCPT TO:<bob@osprey.net>\r\n").server("250 ok\r\n");
  script.client("DATA\r\n").server("354 go\r\n").client(message).server("250 ok\r\n").end();
  return script;
}

TEST_CASE("a message keeps its form") {
  const Redacted shaped(with_message(kMultipart).events(), BodyPolicy::kShape);
  CHECK(shaped.leaks.empty());
  const std::string all = shaped.list.octets(Side::kClient);
  const std::size_t begin = all.find("DATA\r\n") + 6;
  const std::string is = all.substr(begin);
  INFO(is);
  REQUIRE(is.size() == kMultipart.size());
  check_nothing_private(is);
  for (std::size_t i = 0; i < is.size(); ++i) {
    const char was = kMultipart[i];
    if (was == '\r' || was == '\n' || was == '.' || was == ' ') CHECK(is[i] == was);
  }
  for (const char* kept :
       {"Received: ", "\r\nFrom: ", "\r\nSubject: =?", "\r\nMessage-ID:\r\n <",
        "-Scanned: ", "Content-Type: multipart/mixed; boundary=\"",
        "Content-Type: text/plain; charset=utf-8\r\n", "Content-Transfer-Encoding: base64\r\n"}) {
    CHECK(has(is, kept));
  }
  const std::size_t quote = is.find("boundary=\"") + 10;
  const std::string boundary = is.substr(quote, is.find('"', quote) - quote);
  CHECK(has(is, "\r\n--" + boundary + "\r\n"));
  CHECK(has(is, "\r\n--" + boundary + "--\r\n"));
}

TEST_CASE("a message that is dropped leaves its end, and facts without its hashes") {
  const Script script = with_message(kMultipart);
  const Redacted dropped(script.events(), BodyPolicy::kDrop);
  CHECK(dropped.leaks.empty());
  CHECK(dropped.list.octets(Side::kClient).ends_with("DATA\r\n\r\n.\r\n"));
  const LeftOut* hole = nullptr;
  for (const EventCopy& each : dropped.list.events()) {
    const auto* bytes = std::get_if<Bytes>(&each.event().body);
    if (bytes && bytes->left_out) hole = &*bytes->left_out;
  }
  REQUIRE(hole != nullptr);
  CHECK(hole->octets == kMultipart.size() - 5);
  MessageScanner original;
  original.scan(octets_of(kMultipart.substr(0, kMultipart.size() - 5)));
  const MessageFacts& was = original.facts();
  const MessageFacts& is = hole->after.facts();
  CHECK(is.lines == was.lines);
  CHECK(is.dot_lines == was.dot_lines);
  CHECK(is.header.ended);
  CHECK(is.header.scanner_fields == 1);
  CHECK(is.digest != was.digest);
  CHECK(is.header.message_id != 0);
  CHECK(is.header.message_id != was.header.message_id);
}

TEST_CASE("a message that is kept loses the names in it") {
  const Redacted kept(with_message(kMultipart).events(), BodyPolicy::kKeep);
  CHECK(kept.leaks.empty());
  const std::string is = kept.list.octets(Side::kClient);
  INFO(is);
  for (const char* name : {"alice", "Alice", "kestrel", "10.17.3", "ws17", "YWxp"})
    CHECK(!has(is, name));
  CHECK(has(is, "preamble of "));
  CHECK(has(is, ", the "));  // "secret" stood in the Message-ID
  CHECK(has(is, "Received: from "));
}

TEST_CASE("a name that quoted-printable hides is found by the check") {
  const Redacted kept(
      with_message("Subject: x\r\n\r\nDear =\r\nali=\r\nce=40kestrel-mail.de\r\n.\r\n").events(),
      BodyPolicy::kKeep);
  CHECK(!kept.leaks.empty());
}

TEST_CASE("a chunk keeps its length whatever is in it") {
  Script script = greeted();
  const std::string_view chunk = "From: a@b.de\r\n\r\nalice@kestrel-mail.de 10.1.1.1\r\n";
  script.client("MAIL FROM:<alice@kestrel-mail.de>\r\n").server("250 ok\r\n");
  script.client(fmt::format("BDAT {} LAST\r\n{}RSET\r\n", chunk.size(), chunk));
  script.server("250 ok\r\n").end();
  for (const BodyPolicy policy : {BodyPolicy::kShape, BodyPolicy::kKeep}) {
    const Redacted redacted(script.events(), policy);
    CHECK(redacted.leaks.empty());
    const std::string is = redacted.list.octets(Side::kClient);
    const std::size_t begin = is.find("LAST\r\n") + 6;
    CHECK(is.substr(begin + chunk.size()) == "RSET\r\n");
    check_nothing_private(is);
  }
}

TEST_CASE("what TLS shows of names becomes zeros") {
  Script script = greeted();
  script.client("STARTTLS\r\n").server("220 go\r\n");
  std::string hello("\x16\x03\x01\x00\x20\x01\x00\x00\x1c", 9);
  hello += "mx.kestrel-mail.de alice...!";
  REQUIRE(hello.size() == 5 + 0x20);
  const std::string alert("\x15\x03\x03\x00\x02\x02\x28", 7);
  script.client(hello.substr(0, 11)).client(hello.substr(11)).server(alert).end();
  const Redacted redacted(script.events(), BodyPolicy::kDrop);
  const std::string is = redacted.list.octets(Side::kClient);
  check_nothing_private(is);
  CHECK(has(is, std::string_view("\x16\x03\x01\x00\x20\x01\x00\x00\x1c\x00\x00", 11)));
  CHECK(is.ends_with(std::string(28, '\0')));
  CHECK(redacted.list.octets(Side::kServer).ends_with(alert));
}

TEST_CASE("PROXY headers") {
  Script one;
  one.client("PROXY TCP4 10.17.3.9 10.17.3.25 56324 25\r\n").server("220 mx ESMTP\r\n").end();
  const std::string line = Redacted(one.events(), BodyPolicy::kDrop).list.octets(Side::kClient);
  check_nothing_private(line);
  CHECK(line.starts_with("PROXY TCP4 "));
  CHECK(line.ends_with(" 56324 25\r\n"));

  Script two;
  std::string header("\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x15", 16);
  header += std::string("\x0a\x11\x03\x09\x0a\x11\x03\x19\xdc\x04\x00\x19", 12);
  header += std::string(
      "\x02\x00\x06"
      "alice.",
      9);  // a TLV: the name that the client asked for
  two.client(header).server("220 mx ESMTP\r\n").end();
  const Redacted redacted(two.events(), BodyPolicy::kDrop);
  const std::string is = redacted.list.octets(Side::kClient);
  REQUIRE(is.size() == header.size());
  CHECK(is.substr(0, 16) == header.substr(0, 16));
  CHECK(is.substr(24, 4) == header.substr(24, 4));  // ports
  CHECK(is.substr(16, 4) != header.substr(16, 4));
  CHECK(is.ends_with(std::string(9, '\0')));
  CHECK(redacted.first.originals().knows("10.17.3.9"));
}

/// `events` with reads cut at random.
std::vector<EventCopy> cut(const std::vector<EventCopy>& events, std::mt19937& random) {
  std::vector<EventCopy> result;
  for (const EventCopy& each : events) {
    const auto* bytes = std::get_if<Bytes>(&each.event().body);
    if (bytes == nullptr || bytes->left_out) {
      result.emplace_back(each.event());
      continue;
    }
    for (std::size_t at = 0; at < bytes->head.size();) {
      const std::size_t size = std::min<std::size_t>(1 + random() % 40, bytes->head.size() - at);
      Bytes part = *bytes;
      part.head = bytes->head.subspan(at, size);
      result.emplace_back(WireEvent{1, each.event().time, part});
      at += size;
    }
  }
  return result;
}

TEST_CASE("any split gives the same octets, in as many events, at the same times") {
  const Script script = with_message(kMultipart);
  std::mt19937 random(1);
  for (const BodyPolicy policy : {BodyPolicy::kShape, BodyPolicy::kKeep}) {
    const Redacted whole(script.events(), policy);
    for (int i = 0; i < 40; ++i) {
      const std::vector<EventCopy> pieces = cut(script.events(), random);
      const Redacted redacted(pieces, policy);
      for (const Side side : {Side::kClient, Side::kServer}) {
        CHECK(redacted.list.octets(side) == whole.list.octets(side));
      }
      REQUIRE(redacted.list.events().size() == pieces.size());
      for (std::size_t k = 0; k < pieces.size(); ++k) {
        CHECK(redacted.list.events()[k].event().time == pieces[k].event().time);
        CHECK(redacted.list.events()[k].event().body.index() == pieces[k].event().body.index());
      }
    }
  }
}

/// What the octets of a session are, without texts: kinds, sides, verbs and codes.
class Kinds : public ItemSink {
 public:
  void on_event(const WireEvent&, const Conversation&) override {}
  void on_event_done(const WireEvent&, const Conversation&) override {}
  void on_item(const Item& item, const Conversation&) override {
    text += fmt::format("{} {}", to_string(item.side), item.body.index());
    if (const auto* command = std::get_if<Command>(&item.body)) {
      text += fmt::format(" {} {}", to_string(command->verb), command->flags);
    } else if (const auto* reply = std::get_if<Reply>(&item.body)) {
      text += fmt::format(" {} x{}", reply->code, reply->line_count);
    }
    text += "\n";
  }
  std::string text;
};

std::string kinds(const std::vector<EventCopy>& events) {
  Kinds kinds;
  Sanitizer sanitizer({.keep_credentials = true}, nullptr, &kinds);
  for (const EventCopy& each : events) sanitizer.feed(each.event());
  return kinds.text;
}

TEST_CASE("whatever comes, it parses as before and gives as many events") {
  constexpr std::string_view kSnippets[] = {"EHLO a.kestrel-mail.de\r\n",
                                            "MAIL FROM:<",
                                            "alice@kestrel-mail.de",
                                            ">",
                                            "\r\n",
                                            "\r",
                                            "\n",
                                            "DATA\r\n",
                                            ".\r\n",
                                            "\r\n.\r\n",
                                            "AUTH PLAIN ",
                                            "YWxpY2U=",
                                            "\r\n",
                                            "BDAT 12 LAST\r\n",
                                            "STARTTLS\r\n",
                                            "\x16\x03\x01",
                                            "QUIT\r\n",
                                            "Subject: ",
                                            " ",
                                            "RSET\r\n",
                                            "\xff",
                                            "\xc3\xbc",
                                            "\xc3",
                                            "@",
                                            "[",
                                            "]",
                                            "10.17.3.9",
                                            ":",
                                            "::",
                                            "XCLIENT NAME=",
                                            "+40",
                                            "=",
                                            "=?utf-8?B?",
                                            "?=",
                                            "--boundary\r\n",
                                            "boundary=",
                                            "RCPT TO:<bob@osprey.net>\r\n",
                                            "VRFY x\r\n",
                                            "XEXCH50 5 2\r\n",
                                            "220 mx.kestrel-mail.de ESMTP\r\n",
                                            "250-a\r\n",
                                            "250 CHUNKING\r\n",
                                            "354 go\r\n",
                                            "334 \r\n",
                                            "220 tls\r\n",
                                            "550 no <alice@kestrel-mail.de>\r\n",
                                            "421 bye\r\n",
                                            "235 ok\r\n",
                                            "garbage\r\n"};
  std::mt19937 random(7);
  for (int round = 0; round < 400; ++round) {
    Script script;
    const bool polite = round % 2 == 0;
    if (polite)
      script.server("220 mx.kestrel-mail.de ESMTP\r\n")
          .client("EHLO x\r\n")
          .server("250-x\r\n250 CHUNKING\r\n");
    const std::size_t events = 5 + random() % 40;
    for (std::size_t i = 0; i < events; ++i) {
      std::string text;
      for (std::size_t k = random() % 5 + 1; k > 0; --k) {
        if (random() % 8 == 0) {
          text += static_cast<char>(random() % 256);
        } else {
          text += kSnippets[random() % std::size(kSnippets)];
        }
      }
      const Side side = random() % 3 == 0 ? Side::kServer : Side::kClient;
      if (random() % 30 == 0) {
        script.add(Gap{side, random() % 20, 0, "lost"});
      } else {
        script.say(side, text);
      }
    }
    script.end();
    for (const BodyPolicy policy : {BodyPolicy::kDrop, BodyPolicy::kShape}) {
      INFO("round " << round << " " << to_string(policy));
      const Redacted redacted(script.events(), policy);
      CHECK(redacted.list.events().size() == script.events().size());
      CHECK(kinds(redacted.list.events()) == kinds(script.events()));
    }
  }
}

TEST_CASE("a line without an end does not make it wait for ever") {
  Script script = greeted();
  const std::string octets(64 * 1024, 'a');
  for (int i = 0; i < 200; ++i) script.client(octets);
  EventList list;
  Pseudonyms names(kTestKey);
  SessionRedactor redactor(names, BodyPolicy::kDrop, list, false);
  for (const EventCopy& each : script.events()) redactor.feed(each.event());
  CHECK(list.events().size() > script.events().size() - 80);
  redactor.finish();
  CHECK(list.events().size() == script.events().size());
}

TEST_CASE("a session without an end, and a gap of the whole run") {
  Script script = greeted();
  script.client("AUTH PLA").server("250 half a rep");
  EventList list;
  Pseudonyms names(kTestKey);
  Redactor redactor(names, BodyPolicy::kDrop, list);
  for (const EventCopy& each : script.events()) redactor.on_wire(each.event());
  redactor.on_wire({kWholeRun, at_ns(99'000), Gap{std::nullopt, 0, 0, "line 7 of alice"}});
  // Everything before it was handed on before it.
  REQUIRE(list.events().size() == script.events().size() + 1);
  CHECK(list.events().back().event().session == kWholeRun);
  CHECK(!has(std::get<Gap>(list.events().back().event().body).why, "alice"));
  redactor.on_wire({1, at_ns(100'000), Closed{Side::kClient, CloseKind::kFin, false, {}}});
  redactor.finish();
  CHECK(list.events().size() == script.events().size() + 2);
}

TEST_CASE("a message that was cut by a limit before loses the rest of it") {
  const Script script = with_message(kMultipart);
  EventList limited;
  Sanitizer sanitizer({.message_octets = 100}, &limited, nullptr);
  for (const EventCopy& each : script.events()) sanitizer.feed(each.event());
  CHECK(has(limited.octets(Side::kClient), "ws17"));

  const Redacted dropped(limited.events(), BodyPolicy::kDrop);
  CHECK(dropped.list.octets(Side::kClient).ends_with("DATA\r\n\r\n.\r\n"));
  const Redacted shaped(limited.events(), BodyPolicy::kShape);
  CHECK(shaped.list.octets(Side::kClient).size() > dropped.list.octets(Side::kClient).size());
  for (const Redacted* each : {&dropped, &shaped}) {
    CHECK(each->leaks.empty());
    check_nothing_private(each->list.octets(Side::kClient));
    CHECK(kinds(each->list.events()) == kinds(limited.events()));
    for (const EventCopy& event : each->list.events()) {
      const auto* bytes = std::get_if<Bytes>(&event.event().body);
      if (!bytes || !bytes->left_out) continue;
      CHECK(bytes->octets() == kMultipart.size());
    }
  }
}

}  // namespace
}  // namespace smtpscope::test
