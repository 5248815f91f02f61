#include "lab/dialogue_notes.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/octets.h"
#include "tests/catch.h"

namespace smtpscope {
namespace {

/// "C:" and "S:" lines, in order.
void play(DialogueNotes& notes, std::string_view script) {
  while (!script.empty()) {
    const std::string_view line = script.substr(0, script.find('\n'));
    script.remove_prefix(std::min(script.size(), line.size() + 1));
    const Side side = line.starts_with("C:") ? Side::kClient : Side::kServer;
    notes.said(side, octets_of(std::string(line.substr(3)) + "\r\n"), at_ns(0));
  }
}

constexpr std::string_view kOpening =
    "S: 220 mx\nC: EHLO c\nS: 250-mx\nS: 250-PIPELINING\nS: 250 CHUNKING\n";

}  // namespace

TEST_CASE("a message is taken for those whom RCPT has named") {
  DialogueNotes notes;
  play(notes, kOpening);
  play(
      notes,
      "C: MAIL FROM:<a@x> BODY=8BITMIME\nS: 250 ok\nC: RCPT TO:<b@y>\nS: 250 ok\n"
      "C: RCPT TO:<c@y>\nS: 452 full\nC: DATA\nS: 354 go\nC: hello\nC: .\nS: 250 taken\nC: QUIT\n");
  REQUIRE(notes.messages().size() == 1);
  CHECK(notes.messages()[0].sender == "a@x");
  CHECK(notes.messages()[0].recipients == std::vector<std::string>{"b@y"});
  CHECK(notes.messages()[0].reply == 250);
  REQUIRE(notes.refusals().size() == 1);
  CHECK(notes.refusals()[0].words() == "452 to RCPT");
  CHECK_FALSE(notes.refusals()[0].for_good());
  CHECK(notes.needed() == std::vector<std::string>{"8BITMIME"});
  CHECK(notes.transactions() == 1);
  CHECK(notes.quit());
  REQUIRE(notes.awaited());
  CHECK(notes.awaited()->words() == "the reply to QUIT");
}

TEST_CASE("DATA that is refused since no recipient is left adds nothing to what RCPT was told") {
  DialogueNotes notes;
  play(notes, kOpening);
  play(notes,
       "C: MAIL FROM:<a@x>\nC: RCPT TO:<b@y>\nC: DATA\nS: 250 ok\nS: 450 4.2.0 greylisted\n"
       "S: 554 5.5.1 no valid recipients\n");
  REQUIRE(notes.refusals().size() == 1);
  CHECK_FALSE(notes.refusals()[0].for_good());
}

TEST_CASE("the report of a failed delivery is no new try of the mail") {
  DialogueNotes notes;
  play(notes, kOpening);
  play(notes, "C: MAIL FROM:<a@x>\nS: 550 no\nC: MAIL FROM:<>\nS: 250 ok\n");
  CHECK(notes.transactions() == 1);
}

TEST_CASE("what is awaited is told, and a message whose reply never came is not taken") {
  DialogueNotes notes;
  CHECK(notes.awaited()->words() == "the greeting");
  play(notes, kOpening);
  CHECK_FALSE(notes.awaited());
  play(notes,
       "C: MAIL FROM:<a@x>\nS: 250 ok\nC: RCPT TO:<b@y>\nS: 250 ok\nC: DATA\nS: 354 go\nC: x\nC: "
       ".\n");
  CHECK(notes.awaited()->words() == "the reply to the end of the message");
  REQUIRE(notes.messages().size() == 1);
  CHECK(notes.messages()[0].reply == 0);
  CHECK(notes.messages()[0].recipients.empty());
}

TEST_CASE("chunks that are pipelined with all that goes before, two messages at a time") {
  DialogueNotes notes;
  play(notes, kOpening);
  play(notes,
       "C: MAIL FROM:<a@x>\nC: RCPT TO:<b@y>\nC: BDAT 3 LAST\nC: x\n"
       "C: MAIL FROM:<>\nC: RCPT TO:<d@y>\nC: BDAT 3 LAST\nC: x\n"
       "S: 250 ok\nS: 250 ok\nS: 250 taken\nS: 250 ok\nS: 250 ok\nS: 554 no\n");
  REQUIRE(notes.messages().size() == 2);
  CHECK(notes.messages()[0].recipients == std::vector<std::string>{"b@y"});
  CHECK(notes.messages()[1].recipients.empty());
  CHECK(notes.messages()[1].reply == 554);
  REQUIRE(notes.refusals().size() == 1);
  CHECK(notes.refusals()[0].words() == "554 to the message");
  CHECK(notes.refusals()[0].of_mail());
  CHECK_FALSE(notes.awaited());
}

TEST_CASE("LMTP answers for each recipient") {
  DialogueNotes notes;
  play(notes,
       "S: 220 mx\nC: LHLO c\nS: 250 mx\nC: MAIL FROM:<a@x>\nS: 250 ok\nC: RCPT TO:<b@y>\nS: 250 "
       "ok\n"
       "C: RCPT TO:<c@y>\nS: 250 ok\nC: DATA\nS: 354 go\nC: x\nC: .\nS: 452 full\nS: 250 taken\n");
  REQUIRE(notes.messages().size() == 1);
  CHECK(notes.messages()[0].recipients == std::vector<std::string>{"c@y"});
  CHECK_FALSE(notes.awaited());
}

}  // namespace smtpscope
