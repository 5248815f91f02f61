// Golden cases of reply attribution: mail data, its ends, and chunks.

#include "tests/catch.h"
#include "tests/parser/expect_items.h"

using namespace smtpscope;
using namespace smtpscope::test;

namespace {

const std::string kGroup = "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n";

const std::vector<std::string> kGroupItems = {
    "S 220 greeting",
    "C #1 `MAIL FROM:<a@b>`",
    "C #2 `RCPT TO:<c@d>` pending=1",
    "C #3 `RCPT TO:<e@f>` pending=2",
    "C #4 `DATA` pending=3",
};

std::vector<std::string> after_group(std::vector<std::string> rest) {
  std::vector<std::string> items = kGroupItems;
  items.insert(items.end(), rest.begin(), rest.end());
  return items;
}

}  // namespace

TEST_CASE("a pipelined group, all recipients refused, 354 and a lone dot") {
  expect_items(
      {S("220 a\r\n"), C(kGroup), S("250 ok\r\n550 no\r\n550 no\r\n354 go\r\n"), C(".\r\n"),
       S("554 none\r\n")},
      after_group({"S 250 to #1 MAIL owes=3", "S 550 to #2 RCPT owes=2", "S 550 to #3 RCPT owes=1",
                   "S 354 to #4 DATA", "C #5 data 0 octets, strict", "S 554 to #5 end of data"}));
}

TEST_CASE("refused DATA with the message behind it: each line is a command") {
  expect_items(
      {S("220 a\r\n"), C(kGroup + "Hi there\r\n"), S("250 ok\r\n550 no\r\n550 no\r\n503 no\r\n"),
       C("bye\r\n.\r\n"), S("500 1\r\n500 2\r\n500 3\r\n")},
      after_group({"S 250 to #1 MAIL owes=3", "S 550 to #2 RCPT owes=2", "S 550 to #3 RCPT owes=1",
                   "S 503 to #4 DATA", "C #5 `Hi there` pending=1 early", "C #6 `bye` pending=1",
                   "C #7 `.` pending=2", "S 500 to #5 ? owes=2", "S 500 to #6 ? owes=1",
                   "S 500 to #7 ?"}));
}

TEST_CASE("DATA, text and dot in one segment, then 354 and 250: one early message") {
  expect_items({S("220 a\r\n"), C("DATA\r\nx\r\n.\r\n"), S("354 go\r\n250 ok\r\n")},
               {"S 220 greeting", "C #1 `DATA`", "S 354 to #1 DATA",
                "C #2 data 3 octets, strict early=6", "S 250 to #2 end of data"});
}

TEST_CASE("a new transaction in the same segment as the end of data") {
  expect_items(
      {S("220 a\r\n"), C("DATA\r\n"), S("354 go\r\n"),
       C("x\r\n.\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"), S("250 a\r\n250 b\r\n250 c\r\n")},
      {"S 220 greeting", "C #1 `DATA`", "S 354 to #1 DATA", "C #2 data 3 octets, strict",
       "C #3 `MAIL FROM:<a@b>` pending=1", "C #4 `RCPT TO:<c@d>` pending=2",
       "S 250 to #2 end of data owes=2", "S 250 to #3 MAIL owes=1", "S 250 to #4 RCPT"});
}

TEST_CASE("the octets of a refused chunk are swallowed, whatever they say") {
  expect_items({S("220 a\r\n"), C("EHLO x\r\n"), S("250-mx\r\n250 CHUNKING\r\n"),
                C("BDAT 10\r\nQUIT\r\nQUIT"), S("552 no\r\n"), C("RSET\r\n"), S("250 ok\r\n")},
               {"S 220 greeting", "C #1 `EHLO x`", "S 250 to #1 EHLO lines=2", "C #2 `BDAT 10`",
                "C #2 chunk 10", "S 552 to #2 BDAT", "C #3 `RSET`", "S 250 to #3 RSET"});
}

TEST_CASE("what a chunk is too small for is read as a command") {
  expect_items(
      {S("220 a\r\n"), C("EHLO x\r\n"), S("250-mx\r\n250 CHUNKING\r\n"),
       C("BDAT 3 LAST\r\nabcde\r\n"), S("250 ok\r\n500 what\r\n")},
      {"S 220 greeting", "C #1 `EHLO x`", "S 250 to #1 EHLO lines=2", "C #2 `BDAT 3 LAST`",
       "C #2 chunk 3 last", "C #3 `de` pending=1", "S 250 to #2 BDAT owes=1", "S 500 to #3 ?"});
}

TEST_CASE("pipelined chunks after a failed one get a reply each") {
  expect_items(
      {S("220 a\r\n"), C("EHLO x\r\n"), S("250-mx\r\n250 CHUNKING\r\n"),
       C("BDAT 5\r\n12345BDAT 5\r\n12345BDAT 5\r\n12345"), S("552 a\r\n551 b\r\n551 c\r\n")},
      {"S 220 greeting", "C #1 `EHLO x`", "S 250 to #1 EHLO lines=2", "C #2 `BDAT 5`",
       "C #2 chunk 5", "C #3 `BDAT 5` pending=1", "C #3 chunk 5", "C #4 `BDAT 5` pending=2",
       "C #4 chunk 5", "S 552 to #2 BDAT owes=2", "S 551 to #3 BDAT owes=1", "S 551 to #4 BDAT"});
}

TEST_CASE("BDAT that was not offered and is refused: its octets are commands") {
  expect_items({S("220 a\r\n"), C("EHLO x\r\n"), S("250 mx\r\n"), C("BDAT 5\r\nab\r\nc\r\n"),
                S("500 what\r\n500 what\r\n500 what\r\n")},
               {"S 220 greeting", "C #1 `EHLO x`", "S 250 to #1 EHLO", "C #2 `BDAT 5`",
                "S 500 to #2 BDAT", "C #3 `ab` pending=1 early", "C #4 `c` pending=1 early",
                "S 500 to #3 ? owes=1", "S 500 to #4 ?"});
}

TEST_CASE("LMTP gives one reply per accepted recipient") {
  expect_items({S("220 a\r\n"), C("LHLO x\r\n"), S("250 a\r\n"),
                C("MAIL FROM:<x@y>\r\nRCPT TO:<a@b>\r\nRCPT TO:<b@b>\r\nRCPT TO:<c@b>\r\n"),
                S("250 1\r\n250 2\r\n550 3\r\n250 4\r\n"), C("DATA\r\n"), S("354 go\r\n"),
                C(".\r\n"), S("250 a\r\n452 c\r\n")},
               {"S 220 greeting", "C #1 `LHLO x`", "S 250 to #1 LHLO", "C #2 `MAIL FROM:<x@y>`",
                "C #3 `RCPT TO:<a@b>` pending=1", "C #4 `RCPT TO:<b@b>` pending=2",
                "C #5 `RCPT TO:<c@b>` pending=3", "S 250 to #2 MAIL owes=3",
                "S 250 to #3 RCPT owes=2", "S 550 to #4 RCPT owes=1", "S 250 to #5 RCPT",
                "C #6 `DATA`", "S 354 to #6 DATA", "C #7 data 0 octets, strict",
                "S 250 to #7 end of data owes=1", "S 452 to #7 end of data ordinal=1"});
}

TEST_CASE("LMTP, the last chunk without an accepted recipient is owed nothing") {
  expect_items({S("220 a\r\n"), C("LHLO x\r\n"), S("250-a\r\n250 CHUNKING\r\n"),
                C("BDAT 3 LAST\r\nabcRSET\r\n"), S("250 ok\r\n")},
               {"S 220 greeting", "C #1 `LHLO x`", "S 250 to #1 LHLO lines=2", "C #- `BDAT 3 LAST`",
                "C #- chunk 3 last", "C #2 `RSET`", "S 250 to #2 RSET"});
}

TEST_CASE("a looser end-of-data sequence stays content while one reply comes") {
  expect_items({S("220 a\r\n"), C("DATA\r\n"), S("354 go\r\n"), C("a\n.\nMAIL FROM:<x@y>\r\n.\r\n"),
                S("250 ok\r\n")},
               {"S 220 greeting", "C #1 `DATA`", "S 354 to #1 DATA", "C #2 data 21 octets, strict",
                "S 250 to #2 end of data"});
}

TEST_CASE("a reply at a looser end-of-data sequence shows that the server took it") {
  expect_items(
      {S("220 a\r\n"), C("DATA\r\n"), S("354 go\r\n"), C("a\n.\nMAIL FROM:<x@y>\r\n"),
       S("250 ok\r\n250 ok\r\n"), C("RCPT TO:<v@w>\r\n"), S("250 ok\r\n")},
      {"S 220 greeting", "C #1 `DATA`", "S 354 to #1 DATA", "C #2 data 4 octets, candidate",
       "S 250 to #2 end of data", "C #3 `MAIL FROM:<x@y>` pending=1", "S 250 to #3 MAIL",
       "C #4 `RCPT TO:<v@w>`", "S 250 to #4 RCPT"});
}

TEST_CASE("a dot as the first content line ends an empty message") {
  expect_items({S("220 a\r\n"), C("DATA\r\n"), S("354 go\r\n"), C(".\r\nQUIT\r\n"),
                S("250 ok\r\n221 bye\r\n")},
               {"S 220 greeting", "C #1 `DATA`", "S 354 to #1 DATA", "C #2 data 0 octets, strict",
                "C #3 `QUIT` pending=1", "S 250 to #2 end of data owes=1", "S 221 to #3 QUIT"});
}

TEST_CASE("a line with an unstuffed dot loses it") {
  const Script script = {S("220 a\r\n"), C("DATA\r\n"), S("354 go\r\n"), C(".foo\r\n.\r\n"),
                         S("250 ok\r\n")};
  expect_items(script, {"S 220 greeting", "C #1 `DATA`", "S 354 to #1 DATA",
                        "C #2 data 5 octets, strict", "S 250 to #2 end of data"});

  Conversation conversation;
  std::uint64_t unstuffed = 0;
  for (const Step& step : script) {
    conversation.receive(
        step.side, {reinterpret_cast<const std::uint8_t*>(step.octets.data()), step.octets.size()});
    while (const Item* item = conversation.next()) {
      if (const auto* data = std::get_if<MailData>(&item->body)) {
        unstuffed = data->facts.unstuffed_dots;
      }
    }
  }
  CHECK(unstuffed == 1);
}
