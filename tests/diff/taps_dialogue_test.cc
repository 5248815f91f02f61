#include <algorithm>

#include "diff/taps/taps_comparison.h"
#include "tests/catch.h"
#include "tests/diff/two_taps.h"
#include "timeline/rules/catalogue.h"

// What something between two taps can do to commands and replies, one case for each.

namespace smtpscope {
namespace {

using namespace std::chrono_literals;
using test::Compared;
using test::holds;
using test::TwoTaps;
using Changes = std::vector<std::string>;

constexpr std::string_view kMail = "Subject: x\\r\\n\\r\\nhello\\r\\n.\\r\\n";

/// The rules that were raised in the first dialogue.
std::vector<std::string_view> raised(const Compared& of) {
  std::vector<std::string_view> ids;
  for (const TapsDialogue::Raised& each : of.taps.dialogues.at(0).raised) {
    ids.push_back(each.rule->id);
  }
  return ids;
}

const std::string& raised_text(const Compared& of, const Rule& rule) {
  const auto& all = of.taps.dialogues.at(0).raised;
  const auto found = std::ranges::find(all, &rule, &TapsDialogue::Raised::rule);
  REQUIRE(found != all.end());
  return found->text;
}

TEST_CASE("what is passed on as it is has not changed") {
  TwoTaps taps;
  taps.greet();
  taps.envelope();
  taps.message(kMail);
  taps.quit();
  taps.end_client();
  taps.end_server();
  const Compared found(taps);
  CHECK(found.taps.trouble.empty());
  CHECK(found.changes().empty());
  CHECK_FALSE(found.taps.changed());
  CHECK(raised(found).empty());
  CHECK_THAT(found.verdict(),
             holds("Nothing between the two taps changed anything: 7 exchanges and 1 message"));
  CHECK(found.taps.delays.exchanges == 6);
  CHECK(found.taps.delays.median == 2ms);
  CHECK(found.taps.dialogues[0].matched_by == TapsMatchedBy::kMessage);
  CHECK(found.taps.clock.whole().offset == 0ms);
  CHECK(found.taps.clock.whole().uncertainty == 1ms);
  CHECK(found.taps.name_near_client == "laptop");
}

TEST_CASE("the origin story: RSET twice, and the envelope again, which the client never sent") {
  TwoTaps taps;
  taps.greet();
  taps.pass("HELO ws1", "250 mx.example");
  taps.pass("MAIL FROM:<a@example.com>", "250 2.1.0 Ok");
  taps.pass("RCPT TO:<b@example.net>", "250 2.1.5 Ok");
  taps.at_client("C: DATA");
  taps.inject("RSET", "250 2.0.0 Ok");
  taps.at_client("S: 354 Start mail input; end with <CRLF>.<CRLF>");
  taps.wait(1s);
  taps.at_client("C> raw \"Subject: x\\r\\n\\r\\nhello\\r\\n.\\r\\n\"");
  taps.inject("RSET", "250 2.0.0 Ok");
  taps.wait(10s);
  taps.inject("MAIL FROM:<a@example.com>", "250 2.1.0 Ok");
  taps.inject("RCPT TO:<b@example.net>", "250 2.1.5 Ok");
  taps.inject("DATA", "354 End data with <CR><LF>.<CR><LF>");
  taps.at_server("C> raw \"Subject: x\\r\\n\\r\\nhello\\r\\n.\\r\\n\"");
  taps.wait(1ms);
  taps.at_server("S: 250 2.0.0 Ok: queued as 257D2AAC540");
  taps.wait(1ms);
  taps.at_client("S: 250 2.0.0 Ok: queued as 257D2AAC540");
  taps.quit();
  const Compared found(taps);
  CHECK(found.changes() == Changes{"command-injected RSET", "command-injected RSET",
                                   "command-injected MAIL", "command-injected RCPT",
                                   "answered-between DATA", "delayed mail data"});
  const auto& changes = found.taps.dialogues[0].changes;
  CHECK_FALSE(changes[0].again);
  CHECK(changes[2].again);
  CHECK(changes[4].near_client == "354 Start mail input; end with <CRLF>.<CRLF>");
  CHECK(changes[4].near_server == "354 End data with <CR><LF>.<CR><LF>");
  CHECK(changes[4].time > 10s);
  REQUIRE(changes[5].time);
  CHECK(*changes[5].time > 10s);
  CHECK(*changes[5].time < 10100ms);
  CHECK_FALSE(changes[5].on_the_way_back);
  CHECK(raised(found) ==
        std::vector<std::string_view>{"two-point-divergence", "interception-suspected"});
  // The trace near the server alone has three points: two for the replay, one for the pause.
  CHECK_THAT(raised_text(found, kInterceptionSuspected),
             holds("score 6 of 3: what the two taps saw differs (3), the trace near the server "
                   "shows signs of it by itself (3)"));
  CHECK(found.taps.dialogues[0].raised[0].certainty == Certainty::kSeen);
  // HELO, MAIL, RCPT, the message and QUIT; DATA was not passed on and back.
  CHECK(found.taps.delays.exchanges == 5);
  const std::string verdict = found.verdict();
  CHECK_THAT(verdict, holds("It sent the server RSET twice, which the client never sent.\n"));
  CHECK_THAT(verdict, holds("It sent the server MAIL and RCPT once more than the client sent"));
  CHECK_THAT(verdict, holds("It answered DATA itself: the client had its answer 11."));
  CHECK_THAT(verdict, holds("It held the message for 10.0"));
  CHECK(found.taps.clock.whole().offset == 0ms);
}

TEST_CASE("of what the server is told twice the first is the client's, whatever else was changed") {
  TwoTaps taps;
  taps.greet();
  taps.pass("EHLO ws1", "250 mx.example");
  taps.rewrite("MAIL FROM:<a@example.com> SIZE=30", "MAIL FROM:<a@example.com>", "250 2.1.0 Ok",
               "250 2.1.0 Ok");
  taps.pass("RCPT TO:<b@example.net>", "250 2.1.5 Ok");
  taps.inject("RSET", "250 2.0.0 Ok");
  taps.inject("MAIL FROM:<a@example.com>", "250 2.1.0 Ok");
  taps.inject("RCPT TO:<b@example.net>", "250 2.1.5 Ok");
  taps.message(kMail);
  taps.quit();
  const Compared found(taps);
  CHECK(found.changes() == Changes{"command-rewritten MAIL", "command-injected RSET",
                                   "command-injected MAIL", "command-injected RCPT"});
  CHECK_THAT(found.verdict(), holds("MAIL and RCPT once more than the client sent them"));
}

TEST_CASE("a mail server in between, of the same make: what it says is not the server's") {
  TwoTaps taps;
  taps.wait(1ms);
  taps.at_server("S: 220 mx.example ESMTP Postfix");
  taps.at_client("S: 220 relay.example ESMTP Postfix");
  taps.drop("EHLO ws1", "250 relay.example");
  taps.drop("MAIL FROM:<a@example.com>", "250 2.1.0 Ok");
  taps.drop("RCPT TO:<b@example.net>", "250 2.1.5 Ok");
  taps.drop("DATA", "354 End data with <CR><LF>.<CR><LF>");
  taps.at_client("C> raw \"Message-ID: <1@a>\\r\\n\\r\\nhello\\r\\n.\\r\\n\"");
  taps.at_client("S: 250 2.0.0 Ok: queued as 111A2B");
  taps.drop("QUIT", "221 2.0.0 Bye");
  // Far away: each answer takes longer than the relay's.
  const auto pass_on = [&](std::string_view command, std::string_view reply) {
    taps.at_server("C: " + std::string(command));
    taps.wait(80ms);
    taps.at_server("S: " + std::string(reply));
  };
  taps.wait(40s);
  pass_on("EHLO relay.example", "250 mx.example");
  pass_on("MAIL FROM:<a@example.com>", "250 2.1.0 Ok");
  pass_on("RCPT TO:<b@example.net>", "250 2.1.5 Ok");
  pass_on("DATA", "354 End data with <CR><LF>.<CR><LF>");
  taps.at_server(
      "C> raw \"Received: by relay\\r\\nMessage-ID: "
      "<1@a>\\r\\n\\r\\nhello\\r\\n.\\r\\n\"");
  taps.wait(80ms);
  taps.at_server("S: 250 2.0.0 Ok: queued as 222C3D");
  pass_on("QUIT", "221 2.0.0 Bye");
  const Compared found(taps);
  // Not taken for captures the wrong way round, nor for clocks that are 40 s apart.
  CHECK(found.taps.trouble.empty());
  CHECK_FALSE(found.taps.clock.whole().known);
  CHECK_THAT(found.verdict(), holds("It answered EHLO, MAIL, RCPT, DATA, the message and QUIT "
                                    "itself"));
  CHECK_THAT(found.verdict(), holds("the header field Received"));
  CHECK_THAT(found.verdict(),
             holds("Not known: how far apart the two clocks are: no answer is surely"));
}

TEST_CASE("a command kept from the server") {
  TwoTaps taps;
  taps.greet();
  taps.pass("EHLO ws1", "250 mx.example");
  taps.drop("STARTTLS", "500 Unsupported command.");
  taps.pass("MAIL FROM:<a@example.com>", "250 2.1.0 Ok");
  taps.pass("RCPT TO:<b@example.net>", "250 2.1.5 Ok");
  taps.message(kMail);
  taps.quit();
  const Compared found(taps);
  CHECK(found.changes() == Changes{"command-dropped STARTTLS"});
  CHECK(found.taps.dialogues[0].changes[0].answer == "500 Unsupported command.");
  CHECK_THAT(found.verdict(), holds("It withheld from the server what the client sent: STARTTLS "
                                    "(answered \"500 Unsupported command.\")"));
  CHECK_THAT(raised_text(found, kInterceptionSuspected),
             holds("STARTTLS was answered without the server being asked (2)"));
}

TEST_CASE("a command rewritten") {
  TwoTaps taps;
  taps.greet();
  taps.rewrite("EHLO ws1", "HELO ws1", "250 mx.example", "250 mx.example");
  taps.rewrite("MAIL FROM:<a@example.com> SIZE=30", "MAIL FROM:<a@example.com>", "250 2.1.0 Ok",
               "250 2.1.0 Ok");
  taps.rewrite("RCPT TO:<b@example.net>", "RCPT TO:<b@Example.net>", "250 2.1.5 Ok",
               "250 2.1.5 Ok");
  taps.message(kMail);
  taps.quit();
  const Compared found(taps);
  CHECK(found.changes() ==
        Changes{"command-rewritten EHLO", "command-rewritten MAIL", "command-rewritten RCPT"});
  CHECK(found.taps.dialogues[0].changes[0].near_server == "HELO ws1");
  CHECK_THAT(found.verdict(), holds("changed what the client sent: EHLO, MAIL and "
                                    "RCPT"));
}

TEST_CASE("a command written over, as a firewall does with what it does not know") {
  TwoTaps taps;
  taps.greet();
  taps.rewrite("EHLO ws1", "XXXX ws1", "502 5.5.2 Error: command not recognized",
               "502 5.5.2 Error: command not recognized");
  taps.pass("HELO ws1", "250 mx.example");
  taps.quit();
  CHECK(Compared(taps).changes() == Changes{"command-rewritten EHLO"});
}

TEST_CASE("a line end changed is a command changed") {
  TwoTaps taps;
  taps.greet();
  taps.pass("HELO ws1", "250 mx.example");
  taps.wait(1ms);
  taps.at_client("C> raw \"NOOP\\n\"");
  taps.wait(1ms);
  taps.at_server("C: NOOP");
  taps.wait(1ms);
  taps.at_server("S: 250 ok");
  taps.wait(1ms);
  taps.at_client("S: 250 ok");
  taps.quit();
  const Compared found(taps);
  REQUIRE(found.changes() == Changes{"command-rewritten NOOP"});
  CHECK(found.taps.dialogues[0].changes[0].near_client == "ends in bare LF");
}

TEST_CASE("commands in another order") {
  TwoTaps taps;
  taps.greet();
  taps.pass("EHLO ws1", "250 mx.example");
  taps.pass("MAIL FROM:<a@example.com>", "250 2.1.0 Ok");
  taps.drop("RCPT TO:<b@example.net>", "250 2.1.5 Ok");
  taps.pass("RCPT TO:<c@example.net>", "250 2.1.5 Ok");
  taps.inject("RCPT TO:<b@example.net>", "250 2.1.5 Ok");
  taps.message(kMail);
  taps.quit();
  const Compared found(taps);
  CHECK(found.changes() == Changes{"command-reordered RCPT"});
  CHECK_THAT(found.verdict(), holds("in another order: RCPT"));
}

TEST_CASE("greeting, farewell and other replies rewritten") {
  TwoTaps taps;
  taps.wait(1ms);
  taps.at_server("S: 220 mx.example ESMTP Postfix");
  taps.wait(1ms);
  taps.at_client("S: 220 ***************************");
  taps.rewrite("HELO ws1", "HELO ws1", "250 mx.example", "250 ok");
  taps.rewrite("QUIT", "QUIT", "221 2.0.0 Bye", "221 closed by the gateway");
  const Compared found(taps);
  CHECK(found.changes() ==
        Changes{"reply-rewritten greeting", "reply-rewritten HELO", "reply-rewritten QUIT"});
  CHECK_THAT(found.verdict(), holds("the greeting, the reply to HELO and the reply to QUIT"));
  CHECK_THAT(raised_text(found, kInterceptionSuspected), holds("score 5 of 3"));
}

TEST_CASE("EHLO keywords masked, hidden, added and changed") {
  TwoTaps taps;
  taps.greet();
  taps.wait(1ms);
  taps.at_client("C: EHLO ws1");
  taps.wait(1ms);
  taps.at_server("C: EHLO ws1");
  taps.wait(1ms);
  taps.at_server(
      "S> raw \"250-mx.example\\r\\n250-PIPELINING\\r\\n250-SIZE 1000\\r\\n250-STARTTLS\\r\\n"
      "250-CHUNKING\\r\\n250 8BITMIME\\r\\n\"");
  taps.wait(1ms);
  taps.at_client(
      "S> raw \"250-mx.example\\r\\n250-PIPELINING\\r\\n250-SIZE 900\\r\\n250-XXXXXXXA\\r\\n"
      "250-X-SCANNED\\r\\n250 8BITMIME\\r\\n\"");
  taps.quit();
  const Compared found(taps);
  CHECK(found.changes() == Changes{"keyword-rewritten SIZE", "keyword-masked STARTTLS",
                                   "keyword-removed CHUNKING", "keyword-added X-SCANNED"});
  CHECK(found.taps.dialogues[0].changes[1].near_client == "XXXXXXXA");
  CHECK_THAT(found.verdict(), holds("It wrote over what the server offers: STARTTLS"));
  CHECK_THAT(found.verdict(), holds("It hid what the server offers: CHUNKING"));
}

TEST_CASE("an EHLO reply with the same keywords in another order is not the same octets") {
  TwoTaps taps;
  taps.greet();
  taps.wait(1ms);
  taps.at_client("C: EHLO ws1");
  taps.wait(1ms);
  taps.at_server("C: EHLO ws1");
  taps.wait(1ms);
  taps.at_server("S> raw \"250-mx\\r\\n250-SIZE 9\\r\\n250 HELP\\r\\n\"");
  taps.wait(1ms);
  taps.at_client("S> raw \"250-mx\\r\\n250-HELP\\r\\n250 SIZE 9\\r\\n\"");
  taps.quit();
  CHECK(Compared(taps).changes() == Changes{"reply-rewritten EHLO"});
}

TEST_CASE("replies that one side only knows") {
  TwoTaps taps;
  taps.greet();
  taps.pass("HELO ws1", "250 mx.example");
  taps.wait(1ms);
  taps.at_server("S: 421 4.4.2 mx.example timeout");
  const Compared swallowed(taps);
  CHECK(swallowed.changes() == Changes{"reply-dropped unasked reply"});
  CHECK_THAT(swallowed.verdict(), holds("withheld replies of the server from the client: \"421 "));

  TwoTaps other;
  other.greet();
  other.pass("HELO ws1", "250 mx.example");
  other.wait(1ms);
  other.at_client("S: 421 4.7.0 blocked by policy");
  CHECK(Compared(other).changes() == Changes{"reply-injected unasked reply"});
}

TEST_CASE("time spent in between is told from a second on") {
  for (const auto& [held, told] : {std::pair(900ms, false), {1500ms, true}}) {
    TwoTaps taps;
    taps.greet();
    taps.pass("HELO ws1", "250 mx.example");
    taps.pass("NOOP", "250 2.0.0 Ok", held);
    taps.quit();
    const Compared found(taps);
    CHECK(found.changes() == (told ? Changes{"delayed NOOP"} : Changes{}));
    CHECK(found.taps.changed() == told);
    // That it came late is no divergence.
    CHECK(raised(found).empty());
    CHECK(found.taps.delays.most == held + 2ms);
    if (told) CHECK_THAT(found.verdict(), holds("holds the dialogue up. It changes nothing"));
  }
  RuleSet patient;
  REQUIRE(patient.set("two-point-divergence.delay=2s").ok());
  TwoTaps taps;
  taps.greet();
  taps.pass("HELO ws1", "250 mx.example");
  taps.pass("NOOP", "250 2.0.0 Ok", 1500ms);
  taps.quit();
  CHECK_FALSE(Compared(taps, patient).taps.changed());
}

TEST_CASE("rules that are off are not raised; the changes are told all the same") {
  RuleSet rules;
  REQUIRE(rules.switch_off("two-point-divergence").ok());
  TwoTaps taps;
  taps.greet();
  taps.pass("HELO ws1", "250 mx.example");
  taps.inject("NOOP", "250 2.0.0 Ok");
  taps.quit();
  const Compared one_off(taps, rules);
  CHECK(one_off.changes() == Changes{"command-injected NOOP"});
  CHECK(raised(one_off) == std::vector<std::string_view>{"interception-suspected"});
  REQUIRE(rules.set("interception-suspected.score=4").ok());
  CHECK(raised(Compared(taps, rules)).empty());
}

TEST_CASE("TLS that is passed on cannot be looked into, and is no change") {
  TwoTaps taps;
  taps.greet();
  taps.pass("EHLO ws1", "250 mx.example");
  taps.pass("STARTTLS", "220 2.0.0 Ready");
  const std::string_view hello = "C> raw \"\\x16\\x03\\x01\\x00\\x04abcd\"";
  taps.wait(1ms);
  taps.at_client(hello);
  taps.wait(1ms);
  taps.at_server(hello);
  taps.end_client();
  taps.end_server();
  const Compared found(taps);
  CHECK(found.changes().empty());
  CHECK(found.taps.dialogues[0].not_evaluated ==
        std::vector<std::string>{"what is inside TLS is not visible"});
  CHECK_THAT(found.verdict(), holds("What is inside TLS is not visible"));
}

TEST_CASE("TLS that ends in between is told, and what is behind it is not compared") {
  TwoTaps taps;
  taps.greet();
  taps.pass("EHLO ws1", "250 mx.example");
  taps.drop("STARTTLS", "220 2.0.0 Ready");
  taps.wait(1ms);
  taps.at_client("C> raw \"\\x16\\x03\\x01\\x00\\x04abcd\"");
  taps.inject("MAIL FROM:<a@example.com>", "250 2.1.0 Ok");
  taps.inject("RCPT TO:<b@example.net>", "250 2.1.5 Ok");
  taps.end_client();
  taps.end_server();
  const Compared found(taps);
  CHECK(found.changes() == Changes{"command-dropped STARTTLS",
                                   "tls-ended TLS, by the octets that the client's end of "
                                   "it sent"});
  REQUIRE(found.taps.dialogues[0].not_evaluated.size() == 1);
  CHECK_THAT(found.taps.dialogues[0].not_evaluated[0], holds("ends in between"));
}

TEST_CASE("what a trace lost in a hole is told, and nothing is called proven") {
  TwoTaps taps;
  taps.greet();
  taps.pass("HELO ws1", "250 mx.example");
  taps.wait(1ms);
  taps.at_client("C: NOOP");
  taps.at_server("gap client 6");
  taps.wait(1ms);
  taps.at_server("S: 250 2.0.0 Ok");
  taps.wait(1ms);
  taps.at_client("S: 250 2.0.0 Ok");
  taps.quit();
  const Compared found(taps);
  REQUIRE_FALSE(found.taps.dialogues[0].not_evaluated.empty());
  CHECK_THAT(found.taps.dialogues[0].not_evaluated[0], holds("hole"));
  for (const TapsDialogue::Raised& each : found.taps.dialogues[0].raised) {
    CHECK(each.certainty == Certainty::kPossible);
  }
}

TEST_CASE("a trace that ends early says nothing of the rest") {
  TwoTaps taps;
  taps.greet();
  taps.envelope();
  taps.message(kMail);
  taps.end_client();
  RunRecord near_client = taps.near_client();
  taps.quit();
  taps.end_server();
  const RunRecord near_server = taps.near_server();
  near_client.sessions.front().ended = false;
  const TapsComparison found = compare_taps(near_client, near_server, RuleSet());
  CHECK_FALSE(found.changed());
  REQUIRE(found.dialogues.size() == 1);
  CHECK(found.dialogues[0].rows.back().unseen);
}

TEST_CASE("a long dialogue is compared in little time") {
  TwoTaps taps;
  taps.greet();
  taps.pass("HELO ws1", "250 mx.example");
  for (int i = 0; i < 20000; ++i) {
    const std::string rcpt = "RCPT TO:<u" + std::to_string(i % 50) + "@example.net>";
    i % 100 == 7 ? taps.drop(rcpt, "250 2.1.5 Ok") : taps.pass(rcpt, "250 2.1.5 Ok");
    if (i % 200 == 3) taps.inject("NOOP", "250 2.0.0 Ok");
  }
  taps.quit();
  const RunRecord near_client = taps.near_client(), near_server = taps.near_server();
  const auto began = std::chrono::steady_clock::now();
  const TapsComparison found = compare_taps(near_client, near_server, RuleSet());
  CHECK(std::chrono::steady_clock::now() - began < 60s);
  CHECK(found.counts[static_cast<std::size_t>(TapsChangeKind::kCommandDropped)] == 200);
  CHECK(found.counts[static_cast<std::size_t>(TapsChangeKind::kCommandInjected)] == 100);
}

}  // namespace
}  // namespace smtpscope
