#include "diff/taps/taps_matching.h"

#include <string>

#include "diff/taps/taps_comparison.h"
#include "tests/catch.h"
#include "tests/diff/recorded.h"
#include "tests/diff/two_taps.h"

// Which session at one tap is which at the other, whatever the clocks say.

namespace smtpscope {
namespace {

using namespace std::chrono_literals;
using test::Compared;
using test::holds;
using test::TwoTaps;
using Ids = std::vector<SessionId>;

Ids ids_of(const std::vector<const SessionRecord*>& sessions) {
  Ids ids;
  for (const SessionRecord* each : sessions) ids.push_back(each->id);
  return ids;
}

std::string mail(int number) {
  return "Message-ID: <" + std::to_string(number) + "@a>\\r\\n\\r\\nhello\\r\\n.\\r\\n";
}

/// A whole session with one message, passed on as it is.
void session(TwoTaps& taps, int at_client, int at_server, const std::string& octets) {
  taps.open_client(at_client);
  taps.open_server(at_server);
  taps.greet();
  taps.envelope();
  taps.message(octets);
  taps.quit();
  taps.end_client();
  taps.end_server();
  taps.wait(1s);
}

/// A session that asks nothing but whether the server is there.
void probe(TwoTaps& taps, int at_client, int at_server) {
  if (at_client > 0) taps.open_client(at_client);
  if (at_server > 0) taps.open_server(at_server);
  taps.wait(1ms);
  if (at_server > 0) taps.at_server("S: 220 mx.example ESMTP");
  if (at_client > 0) taps.at_client("S: 220 mx.example ESMTP");
  for (const auto& [command, reply] :
       {std::pair("HELO probe", "250 mx.example"), {"QUIT", "221 2.0.0 Bye"}}) {
    if (at_client > 0 && at_server > 0) {
      taps.pass(command, reply);
    } else if (at_client > 0) {
      taps.drop(command, reply);
    } else {
      taps.inject(command, reply);
    }
  }
  if (at_client > 0) taps.end_client();
  if (at_server > 0) taps.end_server();
}

TEST_CASE("sessions are matched by their messages, with clocks that are hours apart") {
  for (const Duration offset : {Duration{}, Duration{-7h}, Duration{7h + 123456us}}) {
    TwoTaps taps(offset);
    for (int i = 1; i <= 5; ++i) session(taps, i, i, mail(i));
    const Compared found(taps);
    REQUIRE(found.taps.dialogues.size() == 5);
    for (const TapsDialogue& each : found.taps.dialogues) {
      CHECK(ids_of(each.near_client) == ids_of(each.near_server));
      CHECK(each.matched_by == TapsMatchedBy::kMessage);
    }
    CHECK_FALSE(found.taps.changed());
    CHECK(found.taps.clock.whole().offset == offset);
  }
}

TEST_CASE("what looks the same is told apart by its order in time") {
  TwoTaps taps(2h);
  // The capture near the server begins later.
  probe(taps, 1, 0);
  taps.wait(59s);
  for (int i = 0; i < 30; ++i) {
    // One of them does not come through.
    probe(taps, 2 + i, i == 11 ? 0 : 1 + i);
    taps.wait(59s + std::chrono::milliseconds(37 * (i % 7)));
  }
  const Compared found(taps);
  REQUIRE(found.taps.dialogues.size() == 29);
  for (const TapsDialogue& each : found.taps.dialogues) {
    REQUIRE(each.near_client.size() == 1);
    CHECK(each.near_client[0]->id == each.near_server.at(0)->id + 1);
  }
  REQUIRE(found.taps.only_near_client.size() == 2);
  CHECK(found.taps.only_near_client[0].session->id == 1);
  CHECK(found.taps.only_near_client[0].meaning == TapsLoneSession::Meaning::kNotRecorded);
  CHECK(found.taps.only_near_client[1].session->id == 13);
  CHECK(found.taps.only_near_client[1].meaning == TapsLoneSession::Meaning::kBlocked);
  CHECK(found.taps.changed());
  CHECK_THAT(found.verdict(), holds("never reached the server"));
}

TEST_CASE("clocks that drift apart") {
  // 100 us in each second: a hundred parts in a million, over an hour.
  TwoTaps taps(1h, 100us);
  for (int i = 1; i <= 30; ++i) {
    session(taps, i, i, mail(i));
    taps.wait(2min);
  }
  const Compared found(taps);
  CHECK(found.taps.dialogues.size() == 30);
  CHECK_FALSE(found.taps.changed());
  REQUIRE(found.taps.clock.drift());
  CHECK(*found.taps.clock.drift() > 300ms);
  CHECK(*found.taps.clock.drift() < 400ms);
}

TEST_CASE("one connection to the server for several clients") {
  TwoTaps taps;
  taps.greet();
  taps.envelope();
  taps.message(mail(1));
  taps.drop("QUIT", "221 2.0.0 Bye");
  taps.end_client();
  taps.wait(5s);
  taps.open_client(2);
  taps.wait(1ms);
  taps.at_client("S: 220 mx.example ESMTP Postfix");
  taps.drop("EHLO ws1", "250 mx.example at your service");
  taps.pass("MAIL FROM:<a@example.com>", "250 2.1.0 Ok");
  taps.pass("RCPT TO:<b@example.net>", "250 2.1.5 Ok");
  taps.message(mail(2));
  taps.quit();
  const Compared found(taps);
  REQUIRE(found.taps.dialogues.size() == 1);
  CHECK(ids_of(found.taps.dialogues[0].near_client) == Ids{1, 2});
  CHECK(ids_of(found.taps.dialogues[0].near_server) == Ids{1});
  CHECK(found.changes() == std::vector<std::string>{"command-dropped QUIT",
                                                    "answered-between greeting",
                                                    "command-dropped EHLO"});
  CHECK_THAT(found.verdict(), holds("For 2 connections of the client it used 1 to the server"));
}

TEST_CASE("a connection of its own beside the client's") {
  TwoTaps taps;
  taps.greet();
  taps.pass("EHLO ws1", "250 mx.example at your service");
  taps.open_server(2);
  taps.wait(1ms);
  taps.at_server("S: 220 mx.example ESMTP Postfix");
  taps.inject("EHLO checker", "250 mx.example");
  taps.inject("MAIL FROM:<a@example.com>", "250 2.1.0 Ok");
  taps.inject("RCPT TO:<b@example.net>", "250 2.1.5 Ok");
  taps.inject("QUIT", "221 2.0.0 Bye");
  taps.end_server();
  taps.at_server("session: 1");
  taps.pass("MAIL FROM:<a@example.com>", "250 2.1.0 Ok");
  taps.pass("RCPT TO:<b@example.net>", "250 2.1.5 Ok");
  taps.message(mail(1));
  taps.quit();
  const Compared found(taps);
  REQUIRE(found.taps.dialogues.size() == 1);
  CHECK(ids_of(found.taps.dialogues[0].near_server) == Ids{1, 2});
  CHECK_THAT(found.verdict(), holds("For 1 connection of the client it used 2"));
}

TEST_CASE("sessions with the server that no client began") {
  TwoTaps taps;
  session(taps, 1, 1, mail(1));
  taps.open_server(2);
  taps.wait(1ms);
  taps.at_server("S: 220 mx.example ESMTP Postfix");
  taps.inject("EHLO update-check", "250 mx.example");
  taps.end_server();
  taps.open_server(3, "203.0.113.99:1234");
  taps.wait(1ms);
  taps.at_server("S: 220 mx.example ESMTP Postfix");
  taps.inject("EHLO somebody.else", "250 mx.example");
  taps.end_server();
  taps.open_server(4);
  taps.wait(1ms);
  taps.at_server("S: 220 mx.example ESMTP Postfix");
  taps.end_server();
  session(taps, 2, 5, mail(2));
  const Compared found(taps);
  using enum TapsLoneSession::Meaning;
  REQUIRE(found.taps.only_near_server.size() == 3);
  CHECK(found.taps.only_near_server[0].meaning == kOpened);
  CHECK(found.taps.only_near_server[1].meaning == kOtherClient);
  CHECK(found.taps.only_near_server[2].meaning == kWithoutWords);
  CHECK(found.taps.changed());
}

TEST_CASE("captures the wrong way round are noticed") {
  TwoTaps taps;
  for (int i = 1; i <= 2; ++i) session(taps, i, i, mail(i));
  const RunRecord near_client = taps.near_client(), near_server = taps.near_server();
  const TapsComparison found = compare_taps(near_server, near_client, RuleSet());
  CHECK_THAT(found.trouble, holds("in the wrong order"));
  CHECK_THAT(found.trouble, holds("diff --taps near-client.smtpcap near-server.smtpcap"));
  CHECK(found.dialogues.empty());
}

TEST_CASE("captures of different things have nothing in common") {
  TwoTaps one, other;
  session(one, 1, 1, mail(1));
  other.greet();
  other.envelope("elsewhere", "x@example.org", "y@example.org");
  other.quit();
  const RunRecord near_client = one.near_client();
  RunRecord near_server = other.near_server();
  TapsComparison found = compare_taps(near_client, near_server, RuleSet());
  CHECK_THAT(found.trouble, holds("none of the 1 session in near-client.smtpcap has a "
                                  "counterpart"));
  CHECK_FALSE(found.changed());
  near_server.sessions.clear();
  found = compare_taps(near_client, near_server, RuleSet());
  CHECK_THAT(found.trouble, holds("near-server.smtpcap holds no session"));
}

TEST_CASE("odd sessions do no harm") {
  const RunRecord odd = test::recorded(R"(
S> raw "\xff\xfe\x00\r\n"
C> raw "\r\n\r\n\x01\x02"
S: 999 what
C> raw "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
gap server 0
S: 421
close server reset
end
session: 2
end
session: 3
close client timeout
)");
  const TapsComparison found = compare_taps(odd, odd, RuleSet());
  CHECK_FALSE(found.changed());
  CHECK(found.trouble.empty());
}

TEST_CASE("many sessions are matched in little time") {
  TwoTaps taps(3h);
  for (int i = 1; i <= 1500; ++i) {
    i % 3 == 0 ? session(taps, i, i, mail(i)) : probe(taps, i, i);
  }
  const RunRecord near_client = taps.near_client(), near_server = taps.near_server();
  const auto began = std::chrono::steady_clock::now();
  const TapsComparison found = compare_taps(near_client, near_server, RuleSet());
  CHECK(std::chrono::steady_clock::now() - began < 60s);
  CHECK(found.dialogues.size() == 1500);
  CHECK_FALSE(found.changed());
}

}  // namespace
}  // namespace smtpscope
