#include "diff/taps/taps_comparison.h"
#include "tests/catch.h"
#include "tests/diff/two_taps.h"

// What something between two taps can do to a message, one case for each.

namespace smtpscope {
namespace {

using test::Compared;
using test::holds;
using test::TwoTaps;
using Changes = std::vector<std::string>;

/// A dialogue in which the message `sent` arrived as `came`.
TwoTaps with_message(std::string_view sent, std::string_view came) {
  TwoTaps taps;
  taps.greet();
  taps.envelope();
  taps.message(sent, came);
  taps.quit();
  return taps;
}

const TapsChange& first_change(const Compared& of) { return of.taps.dialogues.at(0).changes.at(0); }

TEST_CASE("header fields added, taken out, changed and moved") {
  const Compared found(with_message(
      "From: a@example.com\\r\\nX-Mailer: one\\r\\nDate: today\\r\\nSubject: x\\r\\nMessage-ID: "
      "<1@example.com>\\r\\n\\r\\nhello\\r\\n.\\r\\n",
      "Received: from ws1\\r\\n by gateway\\r\\nX-Antivirus: clean\\r\\nX-Mailer: "
      "one\\r\\nDate: today\\r\\nFrom: a@example.com\\r\\nSubject: [checked] x\\r\\n"
      "Message-ID: <1@example.com>\\r\\n\\r\\nhello\\r\\n.\\r\\n"));
  CHECK(found.changes() == Changes{"header-moved From", "header-rewritten Subject",
                                   "header-added Received", "header-added X-Antivirus"});
  const auto& changes = found.taps.dialogues[0].changes;
  CHECK(changes[1].near_client == "Subject: x");
  CHECK(changes[1].near_server == "Subject: [checked] x");
  CHECK(changes[2].usual);
  CHECK(changes[2].near_server == "Received: from ws1\r\n by gateway");
  CHECK_FALSE(changes[3].usual);
  CHECK_THAT(found.verdict(), holds("added to the message the header field Received and "
                                    "X-Antivirus"));
}

TEST_CASE("a header field removed") {
  const Compared found(with_message("From: a\\r\\nBcc: c\\r\\n\\r\\nhello\\r\\n.\\r\\n",
                                    "From: a\\r\\n\\r\\nhello\\r\\n.\\r\\n"));
  CHECK(found.changes() == Changes{"header-removed Bcc"});
}

TEST_CASE("the trace that every mail server leaves is named, and no suspicion") {
  const Compared found(with_message(
      "Message-ID: <1@example.com>\\r\\n\\r\\nhello\\r\\n.\\r\\n",
      "Received: by relay\\r\\nMessage-ID: <1@example.com>\\r\\n\\r\\nhello\\r\\n.\\r\\n"));
  CHECK(found.changes() == Changes{"header-added Received"});
  CHECK(found.taps.changed());
  CHECK(found.taps.dialogues[0].raised.empty());
  CHECK_THAT(found.verdict(), holds("A mail server that is meant to be there"));
}

TEST_CASE("the first difference of a body is told to the octet") {
  const Compared found(
      with_message("Message-ID: <1@a>\\r\\n\\r\\nfirst\\r\\nsecond line\\r\\n.\\r\\n",
                   "Message-ID: <1@a>\\r\\n\\r\\nfirst\\r\\nsecond file\\r\\n.\\r\\n"));
  REQUIRE(found.changes().size() == 1);
  CHECK(first_change(found).kind == TapsChangeKind::kBodyRewritten);
  CHECK(first_change(found).subject == "body, line 2, octet 8 of it (14 octets into the body)");
  CHECK(first_change(found).near_client == "second line");
  CHECK(first_change(found).near_server == "second file");
}

TEST_CASE("a line that is added at a body's end") {
  const Compared found(with_message("Message-ID: <1@a>\\r\\n\\r\\nfirst\\r\\n.\\r\\n",
                                    "Message-ID: <1@a>\\r\\n\\r\\nfirst\\r\\n-- \\r\\n.\\r\\n"));
  REQUIRE(found.changes().size() == 1);
  CHECK(first_change(found).near_client.empty());
  CHECK(first_change(found).near_server == "-- ");
}

TEST_CASE("line ends changed") {
  const Compared found(with_message("Message-ID: <1@a>\\r\\n\\r\\nfirst\\nsecond\\r\\n.\\r\\n",
                                    "Message-ID: <1@a>\\r\\n\\r\\nfirst\\r\\nsecond\\r\\n.\\r\\n"));
  REQUIRE(found.changes() == Changes{"line-ends-changed line ends of the message"});
  CHECK(first_change(found).near_client == "3 CRLF, 1 bare LF, 0 bare CR");
}

TEST_CASE("stuffed dots that went missing, and such that nobody needs") {
  const Compared lost(with_message("Message-ID: <1@a>\\r\\n\\r\\n..dot\\r\\n.\\r\\n",
                                   "Message-ID: <1@a>\\r\\n\\r\\n.dot\\r\\n.\\r\\n"));
  REQUIRE(lost.changes().size() == 1);
  CHECK(first_change(lost).kind == TapsChangeKind::kDotStuffing);
  const Compared more(with_message("Message-ID: <1@a>\\r\\n\\r\\ndot\\r\\n.\\r\\n",
                                   "Message-ID: <1@a>\\r\\n\\r\\n.dot\\r\\n.\\r\\n"));
  REQUIRE(more.changes().size() == 1);
  CHECK(first_change(more).kind == TapsChangeKind::kDotStuffing);
  CHECK(first_change(more).subject == "line 3, as it went over the wire");
}

TEST_CASE("a message sent in chunks that arrives by DATA is the same message") {
  TwoTaps taps;
  taps.greet();
  taps.envelope();
  using namespace std::chrono_literals;
  taps.wait(1ms);
  taps.at_client("C> raw \"BDAT 27 LAST\\r\\nMessage-ID: <1@a>\\r\\n\\r\\n.dot\\r\\n\"");
  taps.inject("DATA", "354 go");
  taps.at_server("C> raw \"Message-ID: <1@a>\\r\\n\\r\\n..dot\\r\\n.\\r\\n\"");
  taps.wait(1ms);
  taps.at_server("S: 250 2.0.0 Ok: queued as 4F1B2A0C3D");
  taps.wait(1ms);
  taps.at_client("S: 250 2.0.0 Ok: queued as 4F1B2A0C3D");
  taps.quit();
  const Compared found(taps);
  CHECK(found.changes() == Changes{"command-dropped BDAT", "command-injected DATA"});
  CHECK(found.taps.dialogues[0].messages == 1);
}

TEST_CASE("a message that only one tap saw") {
  TwoTaps taps;
  taps.greet();
  taps.envelope();
  using namespace std::chrono_literals;
  taps.drop("DATA", "354 go");
  taps.wait(1ms);
  taps.at_client("C> raw \"Subject: x\\r\\n\\r\\nbad\\r\\n.\\r\\n\"");
  taps.wait(1ms);
  taps.at_client("S: 550 5.7.1 virus found");
  taps.quit();
  const Compared found(taps);
  CHECK(found.changes() == Changes{"command-dropped DATA", "message-dropped mail data"});
  CHECK_THAT(found.verdict(), holds("It withheld from the server: the message"));
}

TEST_CASE("of a long message as much is compared as is kept, and its size") {
  const std::string block = "0123456789abcde\\n";
  TwoTaps taps;
  taps.greet();
  taps.envelope();
  using namespace std::chrono_literals;
  taps.pass("DATA", "354 go");
  const auto both = [&](const std::string& octets) {
    taps.at_client("C> raw " + octets);
    taps.wait(1ms);
    taps.at_server("C> raw " + octets);
  };
  both("\"Message-ID: <1@a>\\r\\n\\r\\n\"");
  for (int i = 0; i < 5; ++i) both("\"0123456789abcd\\r\\n\" * 1000");
  taps.at_server("C> raw \"added\\r\\n\"");
  both("\".\\r\\n\"");
  taps.at_server("S: 250 2.0.0 Ok: queued as 4F1B2A0C3D");
  taps.wait(1ms);
  taps.at_client("S: 250 2.0.0 Ok: queued as 4F1B2A0C3D");
  taps.quit();
  const Compared found(taps);
  REQUIRE(found.changes() == Changes{"size-changed size of the message"});
  CHECK(first_change(found).near_client == "80021 octets");
  CHECK(first_change(found).near_server == "80028 octets");
  CHECK(found.taps.dialogues[0].messages_in_part == 1);
  CHECK_THAT(found.verdict(), holds("Not compared: what the captures do not hold of 1 message"));
}

TEST_CASE("messages without a header, without a body, without anything") {
  for (const std::string_view octets :
       {".\\r\\n", "\\r\\n.\\r\\n", "no header at all\\r\\n.\\r\\n", "A: b\\r\\n.\\r\\n",
        "\\r\\n\\r\\n\\r\\n.\\r\\n", " folded: first\\r\\n\\r\\n.\\r\\n",
        "\\x00\\xff: \\r\\n.\\r\\n"}) {
    INFO(octets);
    CHECK(Compared(with_message(octets, octets)).changes().empty());
  }
  const Compared found(with_message("A: b\\r\\nC: d\\r\\n.\\r\\n", "A: b\\r\\n.\\r\\n"));
  CHECK(found.changes() == Changes{"header-removed C"});
}

}  // namespace
}  // namespace smtpscope
