// Golden cases of reply attribution: greetings, replies, endings.

#include "tests/catch.h"
#include "tests/parser/expect_items.h"

using namespace smtpscope;
using namespace smtpscope::test;

TEST_CASE("EHLO before the greeting is answered by the second reply") {
  expect_items({C("EHLO x\r\n"), S("220 mx\r\n250 mx\r\n")},
               {"C #1 `EHLO x` pending=1", "S 220 greeting owes=1", "S 250 to #1 EHLO"});
}

TEST_CASE("a multi-line greeting with EHLO between its lines is one greeting") {
  expect_items({S("220-a\r\n"), C("EHLO x\r\n"), S("220 b\r\n250 ok\r\n")},
               {"C #1 `EHLO x` pending=1", "S 220 greeting lines=2 owes=1", "S 250 to #1 EHLO"});
}

TEST_CASE("a refusing greeting, and 503 to the rest") {
  expect_items(
      {S("554 no\r\n"), C("MAIL FROM:<a@b>\r\n"), S("503 no\r\n"), C("QUIT\r\n"), S("221 bye\r\n")},
      {"S 554 greeting", "C #1 `MAIL FROM:<a@b>`", "S 503 to #1 MAIL", "C #2 `QUIT`",
       "S 221 to #2 QUIT"});
}

TEST_CASE("421 on connect answers the greeting") {
  expect_items({S("421 busy\r\n"), eof(Side::kServer)}, {"S 421 greeting"});
}

TEST_CASE("lines of differing codes are one reply, the last code counts") {
  expect_items(
      {S("220 a\r\n"), C("MAIL FROM:<a@b>\r\n"), S("250-A\r\n250-B\r\n550 C\r\n")},
      {"S 220 greeting", "C #1 `MAIL FROM:<a@b>`", "S 550 to #1 MAIL lines=3 codes-differ"});
}

TEST_CASE("a bare code is a reply") {
  expect_items(
      {S("220\r\n"), C("NOOP\r\n"), S("250\r\n"), C("NOOP\r\n"), S("250 \r\n")},
      {"S 220 greeting", "C #1 `NOOP`", "S 250 to #1 NOOP", "C #2 `NOOP`", "S 250 to #2 NOOP"});
}

TEST_CASE("a reply may end in a bare LF, and says so") {
  expect_items({S("220 a\r\n"), C("NOOP\r\n"), S("250 ok\n")},
               {"S 220 greeting", "C #1 `NOOP`", "S 250 to #1 NOOP LF"});
}

TEST_CASE("a garbage line has no effect on the queue") {
  expect_items({S("220 a\r\n"), C("NOOP\r\n"), S("hello\r\n250 ok\r\n")},
               {"S 220 greeting", "C #1 `NOOP`", "S garbage `hello`", "S 250 to #1 NOOP"});
}

TEST_CASE("a 421 while nothing is owed is unsolicited; RSET is not what it answers") {
  expect_items({S("220 a\r\n"), S("421 timeout\r\n"), C("RSET\r\n"), eof(Side::kServer)},
               {"S 220 greeting", "S 421 unsolicited", "C #1 `RSET`"});
}

TEST_CASE("the reply to the end of data comes after the client has gone") {
  expect_items({S("220 a\r\n"), C("DATA\r\n"), S("354 go\r\n"), C("x\r\n.\r\n"), eof(Side::kClient),
                S("250 ok\r\n")},
               {"S 220 greeting", "C #1 `DATA`", "S 354 to #1 DATA", "C #2 data 3 octets, strict",
                "S 250 to #2 end of data"});
}

TEST_CASE("QUIT and FIN, then 221") {
  expect_items({S("220 a\r\n"), C("QUIT\r\n"), eof(Side::kClient), S("221 bye\r\n")},
               {"S 220 greeting", "C #1 `QUIT`", "S 221 to #1 QUIT"});
}

TEST_CASE("two bare-LF commands and two replies are two commands") {
  expect_items({S("220 a\r\n"), C("MAIL FROM:<a@b>\nRCPT TO:<c@d>\n"), S("250 ok\r\n250 ok\r\n"),
                C("RSET\r\n"), S("250 ok\r\n")},
               {"S 220 greeting", "C #1 `MAIL FROM:<a@b>` LF", "C #2 `RCPT TO:<c@d>` pending=1 LF",
                "S 250 to #1 MAIL owes=1", "S 250 to #2 RCPT", "C #3 `RSET`", "S 250 to #3 RSET"});
}

TEST_CASE("the server read the bare-LF lines as one command") {
  expect_items({S("220 a\r\n"), C("MAIL FROM:<a@b>\nRCPT TO:<c@d>\r\n"), S("501 what\r\n"),
                C("RSET\r\n"), S("250 ok\r\n")},
               {"S 220 greeting", "C #1 `MAIL FROM:<a@b>` LF", "C #2 `RCPT TO:<c@d>` pending=1",
                "S 501 to #1 MAIL owes=1", "C #3 `RSET` after-merged-lines", "S 250 to #3 RSET"});
}

TEST_CASE("RSET with an argument is refused") {
  expect_items({S("220 a\r\n"), C("RSET extra\r\n"), S("501 no\r\n")},
               {"S 220 greeting", "C #1 `RSET extra`", "S 501 to #1 RSET"});
}

TEST_CASE("a second reply to the end of data is an orphan and shifts nothing") {
  expect_items({S("220 a\r\n"), C("DATA\r\n"), S("354 go\r\n"), C("x\r\n.\r\n"),
                S("250 ok\r\n250 ok\r\n"), C("QUIT\r\n"), S("221 bye\r\n")},
               {"S 220 greeting", "C #1 `DATA`", "S 354 to #1 DATA", "C #2 data 3 octets, strict",
                "S 250 to #2 end of data", "S 250 orphan", "C #3 `QUIT`", "S 221 to #3 QUIT"});
}

TEST_CASE("the client is gone while a reply is in flight") {
  expect_items({S("220 a\r\n"), C("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"), S("250 ok\r\n"),
                eof(Side::kClient), S("250 ok\r\n")},
               {"S 220 greeting", "C #1 `MAIL FROM:<a@b>`", "C #2 `RCPT TO:<c@d>` pending=1",
                "S 250 to #1 MAIL owes=1", "S 250 to #2 RCPT"});
}
