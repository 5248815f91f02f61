// Scenarios played: what each side is given, and what is recorded.

#include <random>
#include <string>

#include "tests/catch.h"
#include "tests/lab/stage.h"

namespace smtpscope {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kHello = "250-mx\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 CHUNKING\r\n";

/// Greeting and EHLO are over, what was said till then is forgotten.
struct Greeted : LabStage {
  explicit Greeted(std::string_view scenario) : LabStage(scenario) {
    server("220 mx\r\n").client("EHLO c\r\n").server(kHello);
    to_client();
    to_server();
  }
};

/// In a message, of which nothing was said yet.
void in_message(LabStage& play) {
  play.client("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n");
  play.server("250 ok\r\n250 ok\r\n354 go\r\n");
  play.to_client();
  play.to_server();
}

}  // namespace

TEST_CASE("hide and offer change the reply to EHLO alone", "[lab]") {
  LabStage play("hide CHUNKING PIPELINING\noffer SIZE 1000");
  play.server("220 mx\r\n").client("EHLO c\r\n").server(kHello);
  CHECK(play.to_client() == "220 mx\r\n250-mx\r\n250-8BITMIME\r\n250 SIZE 1000\r\n");
  CHECK(play.recorded(
      "aside S 250-mx\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 CHUNKING [offer SIZE 1000]"));
  play.client("HELP\r\n").server("214-mx\r\n214 CHUNKING\r\n");
  CHECK(play.to_client() == "214-mx\r\n214 CHUNKING\r\n");
  CHECK(play.run().unused().empty());
}

TEST_CASE("a reply of our own is given when the client is owed it", "[lab]") {
  Greeted play("RCPT 2: reply \"452 4.5.3 many\"");
  play.client("MAIL FROM:<a@b>\r\nRCPT TO:<1@d>\r\nRCPT TO:<2@d>\r\nRCPT TO:<3@d>\r\nDATA\r\n");
  CHECK(play.to_server() == "MAIL FROM:<a@b>\r\nRCPT TO:<1@d>\r\nRCPT TO:<3@d>\r\nDATA\r\n");
  CHECK(play.recorded("kept C RCPT TO:<2@d> [RCPT 2: reply \"452 4.5.3 many\"]"));
  CHECK(play.to_client().empty());
  play.server("250 m\r\n");
  CHECK(play.to_client() == "250 m\r\n");
  play.server("250 1\r\n250 3\r\n354 go\r\n");
  CHECK(play.to_client() == "250 1\r\n452 4.5.3 many\r\n250 3\r\n354 go\r\n");
  play.client("x\r\n.\r\n").server("250 taken\r\n");
  CHECK(play.to_server() == "x\r\n.\r\n");
  CHECK(play.to_client() == "250 taken\r\n");
}

TEST_CASE("not pipelined, it is given at once", "[lab]") {
  for (const std::string verb : {"MAIL", "NOOP", "VRFY", "RSET"}) {
    Greeted play(verb + ": reply \"450 4.2.0 no\"");
    play.client(verb + " x\r\n");
    CHECK(play.to_server().empty());
    CHECK(play.to_client() == "450 4.2.0 no\r\n");
  }
}

TEST_CASE("a command is recognised in whatever pieces it comes", "[lab]") {
  Greeted play("RCPT: reply \"450 no\"");
  for (const char octet : std::string_view("MAIL FROM:<a@b>\r\nrcpt to:<c@d>\r\nNOOP\r\n")) {
    play.client(std::string_view(&octet, 1));
  }
  CHECK(play.to_server() == "MAIL FROM:<a@b>\r\nNOOP\r\n");
  play.server("250 m\r\n250 n\r\n");
  CHECK(play.to_client() == "250 m\r\n450 no\r\n250 n\r\n");
}

TEST_CASE("421 of our own closes", "[lab]") {
  Greeted play("MAIL: reply \"421 4.3.2 down\"");
  play.client("MAIL FROM:<a@b>\r\n");
  CHECK(play.to_client() == "421 4.3.2 down\r\n");
  CHECK(play.finished(Side::kClient));
  CHECK(play.closed(Side::kServer));
  CHECK(play.recorded("closed server by proxy the scenario: MAIL: reply \"421 4.3.2 down\""));
  play.client("QUIT\r\n").closes(Side::kClient);
  CHECK(play.ended());
}

TEST_CASE("connect and greeting", "[lab]") {
  LabStage turned_away("connect: reply \"421 4.7.0 busy\"");
  CHECK(turned_away.to_client() == "421 4.7.0 busy\r\n");
  turned_away.server("220 mx\r\n").client("EHLO c\r\n");
  CHECK(turned_away.to_client().empty());
  CHECK(turned_away.to_server().empty());
  turned_away.closes(Side::kServer).closes(Side::kClient);
  CHECK(turned_away.ended());

  LabStage reset("connect: reset");
  CHECK(reset.reset(Side::kClient));
  CHECK(reset.ended());

  LabStage late("connect: wait 2s\ngreeting: wait 3s");
  late.server("220 mx\r\n").after(4999ms);
  CHECK(late.to_client().empty());
  CHECK(late.after(1ms).to_client() == "220 mx\r\n");
  CHECK(late.recorded("aside S 220 mx [greeting: wait 3s]"));
  CHECK(late.recorded("P 220 mx [greeting: wait 3s]"));

  LabStage other("greeting: reply \"220 Postfix\"");
  other.server("220-mx\r\n220 two\r\n");
  CHECK(other.to_client() == "220 Postfix\r\n");
  other.client("EHLO c\r\n").server("250 mx\r\n");
  CHECK(other.to_client() == "250 mx\r\n");

  LabStage one("greeting: one line");
  CHECK(one.server("220-mx\r\n220 two\r\n").to_client() == "220 two\r\n");

  LabStage silent("greeting: swallow");
  CHECK(silent.server("220 mx\r\n").to_client().empty());
}

TEST_CASE("a refused session is answered to its end", "[lab]") {
  LabStage play("greeting: reply \"554 5.7.1 no\"");
  play.server("220 mx\r\n");
  CHECK(play.to_client() == "554 5.7.1 no\r\n");
  CHECK(play.closed(Side::kServer));
  play.client("QUIT\r\n");
  CHECK(play.to_client() == "221 2.0.0 Bye\r\n");
  CHECK(play.to_server().empty());
  CHECK(play.closes(Side::kClient).ended());
}

TEST_CASE("refusing the final dot never hands the message on", "[lab]") {
  Greeted play("final dot: reply \"451 4.3.0 full\"");
  in_message(play);
  for (const char octet : std::string_view("Subject: x\r\n\r\n..y\r\n.\r\n")) {
    play.client(std::string_view(&octet, 1));
  }
  const std::string given = play.to_server();
  CHECK(given.find("\r\n.\r\n") == std::string::npos);
  CHECK(given.starts_with("Subject: x\r\n"));
  CHECK(play.closed(Side::kServer));
  CHECK(play.to_client() == "451 4.3.0 full\r\n");
  play.client("RSET\r\nQUIT\r\n");
  CHECK(play.to_client() == "250 2.0.0 Ok\r\n221 2.0.0 Bye\r\n");
  CHECK(play.to_server().empty());
  CHECK(play.closes(Side::kClient).ended());
}

TEST_CASE("refusing the last chunk, pipelined behind its envelope", "[lab]") {
  Greeted play("final dot: reply \"451 4.3.0 full\"");
  play.client("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 6 LAST\r\nabcdef");
  CHECK(play.to_server().find("abcdef") == std::string::npos);
  CHECK(!play.closed(Side::kServer));  // it has yet to answer the envelope
  play.server("250 m\r\n550 r\r\n");
  CHECK(play.to_client() == "250 m\r\n550 r\r\n451 4.3.0 full\r\n");
  CHECK(play.closed(Side::kServer));
}

TEST_CASE("the end of a message can be lost, closed and reset", "[lab]") {
  Greeted reset("final dot: reset");
  in_message(reset);
  reset.client("x\r\n.\r\n");
  CHECK(reset.to_server().find(".\r\n") == std::string::npos);
  CHECK(reset.reset(Side::kClient));
  CHECK(reset.ended());

  Greeted closed("final dot: close");
  in_message(closed);
  closed.client("x\r\n.\r\n");
  CHECK(closed.finished(Side::kClient));
  CHECK(closed.closes(Side::kClient).ended());

  Greeted lost("final dot: swallow");
  in_message(lost);
  lost.client("x\r\n.\r\n").server("421 timeout\r\n");
  CHECK(lost.to_server().find(".\r\n") == std::string::npos);
  CHECK(lost.to_client().empty());
  lost.closes(Side::kServer);
  CHECK(!lost.finished(Side::kClient));
  CHECK(lost.closes(Side::kClient).ended());

  Greeted late("final dot: wait 1s");
  in_message(late);
  late.client("x\r\n.\r\n");
  CHECK(late.to_server() == "x");
  CHECK(late.after(1s).to_server() == "\r\n.\r\n");

  Greeted unanswered("reply to final dot: swallow");
  in_message(unanswered);
  unanswered.client("x\r\n.\r\n").server("250 taken\r\n");
  CHECK(unanswered.to_server() == "x\r\n.\r\n");
  CHECK(unanswered.to_client().empty());
  CHECK(unanswered.recorded("aside S 250 taken [reply to final dot: swallow]"));

  Greeted after("reply to final dot: reset");
  in_message(after);
  after.client("x\r\n.\r\n").server("250 taken\r\n");
  CHECK(after.to_client().empty());
  CHECK(after.reset(Side::kClient));
}

TEST_CASE("a message is stopped behind so many octets", "[lab]") {
  Greeted play("message after 3 octets: reset");
  in_message(play);
  CHECK(play.client("ab").to_server() == "ab");
  play.client("cdef\r\n.\r\n");
  CHECK(play.to_server() == "c");
  CHECK(play.reset(Side::kClient));

  Greeted slow("message: wait 2s");
  in_message(slow);
  slow.client("ab\r\n").client("c\r\n.\r\n");
  CHECK(slow.to_server().empty());
  CHECK(slow.after(2s).to_server() == "ab\r\nc\r\n.\r\n");

  Greeted hole("message after 1 octet: swallow");
  in_message(hole);
  hole.client("abc").client("d\r\n.\r\n").server("250 ?\r\n");
  CHECK(hole.to_server() == "a");
  CHECK(hole.to_client().empty());
}

TEST_CASE("so many octets of the client, wherever they end", "[lab]") {
  LabStage play("octet 12: swallow");
  play.server("220 mx\r\n").client("EHLO c\r\nMAIL FROM:<a@b>\r\n").server("250 mx\r\n");
  CHECK(play.to_server() == "EHLO c\r\nMAIL");
  CHECK(play.to_client() == "220 mx\r\n");

  LabStage reset("reset after 8 octets");
  reset.server("220 mx\r\n").client("EHLO c\r\n");
  CHECK(reset.reset(Side::kClient));
}

TEST_CASE("commands can be held up, swallowed, closed and reset", "[lab]") {
  Greeted wait("MAIL: wait 1s");
  wait.client("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n");
  CHECK(wait.to_server().empty());
  CHECK(wait.after(1s).to_server() == "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n");
  wait.client("NOOP\r\n");
  CHECK(wait.to_server() == "NOOP\r\n");

  Greeted swallow("RCPT: swallow");
  swallow.client("MAIL FROM:<a@b>\r\n").server("250 m\r\n").client("RCPT TO:<c@d>\r\n");
  CHECK(swallow.to_server() == "MAIL FROM:<a@b>\r\n");
  CHECK(swallow.to_client() == "250 m\r\n");

  Greeted close("DATA: close");
  close.client("DATA\r\n");
  CHECK(close.to_server().empty());
  CHECK(close.finished(Side::kClient));

  Greeted reset("QUIT: reset");
  reset.client("QUIT\r\n");
  CHECK(reset.reset(Side::kClient));
}

TEST_CASE("what was held up still goes on when the client closes", "[lab]") {
  Greeted play("MAIL: wait 1s");
  play.client("MAIL FROM:<a@b>\r\n").closes(Side::kClient);
  CHECK(!play.finished(Side::kServer));
  play.after(1s);
  CHECK(play.to_server() == "MAIL FROM:<a@b>\r\n");
  CHECK(play.finished(Side::kServer));
}

TEST_CASE("replies can be late, swallowed and changed", "[lab]") {
  Greeted late("reply to MAIL: wait 1s");
  late.client("MAIL FROM:<a@b>\r\nNOOP\r\n").server("250 m\r\n250 n\r\n");
  CHECK(late.to_client().empty());
  late.closes(Side::kServer);
  CHECK(!late.finished(Side::kClient));
  CHECK(late.after(1s).to_client() == "250 m\r\n250 n\r\n");
  CHECK(late.finished(Side::kClient));

  Greeted gone("reply to MAIL: swallow");
  gone.client("MAIL FROM:<a@b>\r\n").server("250 m\r\n");
  CHECK(gone.to_client().empty());

  Greeted changed("replace reply to RCPT \"550\" with \"450\"");
  changed.client("RCPT TO:<a@b>\r\n").server("550-5.1.1 a\r\n550 5.1.1 b\r\n");
  CHECK(changed.to_client() == "450-5.1.1 a\r\n450 5.1.1 b\r\n");
  CHECK(changed.recorded(
      "aside S 550-5.1.1 a\r\n550 5.1.1 b [replace reply to RCPT \"550\" with \"450\"]"));
}

TEST_CASE("a 354 that is taken back leaves the server", "[lab]") {
  Greeted play("replace reply to DATA \"354\" with \"451\"");
  play.client("DATA\r\n").server("354 go\r\n");
  CHECK(play.to_client() == "451 go\r\n");
  CHECK(play.closed(Side::kServer));
  CHECK(play.client("QUIT\r\n").to_client() == "221 2.0.0 Bye\r\n");
}

TEST_CASE("the server's words are cut and slowed down", "[lab]") {
  LabStage slice("server: slice 3 every 10ms");
  slice.server("220 mx\r\n");
  CHECK(slice.to_client() == "220");
  CHECK(slice.after(10ms).to_client() == " mx");
  CHECK(slice.after(10ms).to_client() == "\r\n");

  LabStage throttle("server: throttle 100 octets/s");
  throttle.server("220 mx\r\n");
  CHECK(throttle.to_client().size() == 5);
  CHECK(throttle.after(50ms).to_client().size() == 3);
  throttle.server("220 " + std::string(70'000, 'x') + "\r\n");
  CHECK(throttle.resting(Side::kServer));
  throttle.after(800s);
  CHECK(!throttle.resting(Side::kServer));
  CHECK(throttle.to_client() == "220 " + std::string(70'000, 'x') + "\r\n");
}

TEST_CASE("a chunk that the client may not send by what it was told still reaches the server",
          "[lab]") {
  Greeted play("hide CHUNKING");
  play.client("EHLO c\r\n").server(kHello);
  play.to_server();
  play.client("BDAT 2 LAST\r\nx\n");
  CHECK(play.to_server() == "BDAT 2 LAST\r\nx\n");
  play.to_client();
  CHECK(play.server("250 taken\r\n").to_client() == "250 taken\r\n");
}

TEST_CASE("a handshake fails where TLS cannot be seen into", "[lab]") {
  Greeted play("TLS: fail handshake");
  play.client("STARTTLS\r\n").server("220 go\r\n");
  CHECK(play.to_client() == "220 go\r\n");
  play.to_server();
  play.client(std::string_view("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", 10));
  CHECK(play.to_server().empty());
  CHECK(play.to_client() == std::string_view("\x15\x03\x03\x00\x02\x02\x28", 7));
  CHECK(play.finished(Side::kClient));
}

TEST_CASE("what is in TLS goes through", "[lab]") {
  Greeted play("RCPT: reply \"450 no\"");
  play.client("STARTTLS\r\n").server("220 go\r\n");
  play.to_server();
  play.to_client();
  play.client(std::string_view("\x16\x03\x01\x00\x01\x01", 6))
      .server(std::string_view("\x16\x03\x03\x00", 4));
  CHECK(play.to_server() == std::string_view("\x16\x03\x01\x00\x01\x01", 6));
  CHECK(play.to_client() == std::string_view("\x16\x03\x03\x00", 4));
}

TEST_CASE("an unreachable server is told as without a scenario", "[lab]") {
  LabStage play("connect: wait 1s\nEHLO: reset", false);
  play.client("EHLO c\r\n");
  CHECK(!play.ended());
}

TEST_CASE("a scenario without a matching line changes no octet", "[lab]") {
  constexpr std::string_view kNever =
      "hide NOSUCH\nRCPT 99: reply \"450 no\"\nreply to VRFY: wait 1s\nmessage after 1 MB: reset\n"
      "octet 9999999: swallow\nreplace reply to RCPT \"999\" with \"450\"\nBDAT 77: close\n";
  constexpr std::string_view kClient[] = {
      "EHLO c\r\n", "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n",
      "Subject: x\r\n\r\n..\r\nbody\r\n.\r\n", "BDAT 4\r\nabc\nBDAT 3 LAST\r\nxyz",
      "garbage \x01\xff\r\nNOOP\nAUTH PLAIN AGEAYg==\r\nQUIT\r\n"};
  constexpr std::string_view kServer[] = {
      kHello, "250 m\r\n550-5.1.1 r\r\n550 5.1.1 r\r\n354 go\r\n", "250 taken\r\n",
      "250 chunk\r\n250 taken\r\n", "500 what\r\n250 n\r\n235 in\r\n221 bye\r\n"};
  std::mt19937 chance(19);
  for (int round = 0; round < 200; ++round) {
    LabStage play(kNever);
    std::string said[2];
    const auto say = [&](Side side, std::string_view text) {
      said[index(side)] += text;
      while (!text.empty()) {
        const std::size_t piece = round == 0 ? text.size() : 1 + chance() % text.size();
        if (side == Side::kClient) {
          play.client(text.substr(0, piece));
        } else {
          play.server(text.substr(0, piece));
        }
        text.remove_prefix(piece);
      }
    };
    say(Side::kServer, "220-mx\r\n220 mx\r\n");
    for (std::size_t i = 0; i < std::size(kClient); ++i) {
      say(Side::kClient, kClient[i]);
      say(Side::kServer, kServer[i]);
    }
    play.closes(Side::kClient);
    REQUIRE(play.to_server() == said[index(Side::kClient)]);
    REQUIRE(play.to_client() == said[index(Side::kServer)]);
    REQUIRE(play.run().unused().size() == 7);
    for (const std::string& line : play.record()) {
      REQUIRE(!line.starts_with("aside"));
      REQUIRE(!line.starts_with("kept"));
    }
  }
}

}  // namespace smtpscope
