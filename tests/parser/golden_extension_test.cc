// Golden cases of reply attribution: AUTH, STARTTLS and what other extensions do to the queue.

#include "tests/catch.h"
#include "tests/parser/expect_items.h"

using namespace smtpscope;
using namespace smtpscope::test;

TEST_CASE("AUTH LOGIN, two responses, never commands") {
  expect_items({S("220 a\r\n"), C("AUTH LOGIN\r\n"), S("334 VXNlcm5hbWU6\r\n"), C("dXNlcg==\r\n"),
                S("334 UGFzc3dvcmQ6\r\n"), C("c2VjcmV0\r\n"), S("235 ok\r\n")},
               {"S 220 greeting", "C #1 `AUTH LOGIN`", "S 334 to #1 AUTH", "C #2 response secret=8",
                "S 334 to #2 response", "C #3 response secret=8", "S 235 to #3 response"});
}

TEST_CASE("an exchange that the client cancels") {
  expect_items({S("220 a\r\n"), C("AUTH PLAIN\r\n"), S("334 \r\n"), C("*\r\n"), S("501 ok\r\n")},
               {"S 220 greeting", "C #1 `AUTH PLAIN`", "S 334 to #1 AUTH",
                "C #2 response cancelled", "S 501 to #2 response"});
}

TEST_CASE("a client that gives up at the challenge with QUIT") {
  expect_items({S("220 a\r\n"), C("AUTH LOGIN\r\n"), S("334 VXNlcm5hbWU6\r\n"), C("quit\r\n"),
                S("501 what?\r\n")},
               {"S 220 greeting", "C #1 `AUTH LOGIN`", "S 334 to #1 AUTH",
                "C #2 response cancelled by QUIT", "S 501 to #2 response"});
  // Longer words may be secrets.
  expect_items({S("220 a\r\n"), C("AUTH LOGIN\r\n"), S("334 VXNlcm5hbWU6\r\n"), C("QUITquit\r\n"),
                S("501 what?\r\n")},
               {"S 220 greeting", "C #1 `AUTH LOGIN`", "S 334 to #1 AUTH", "C #2 response secret=8",
                "S 501 to #2 response"});
}

TEST_CASE("an empty initial response is no secret") {
  expect_items({S("220 a\r\n"), C("AUTH PLAIN =\r\n"), S("235 ok\r\n")},
               {"S 220 greeting", "C #1 `AUTH PLAIN =`", "S 235 to #1 AUTH"});
}

TEST_CASE("AUTH with initial response and MAIL in one segment") {
  expect_items(
      {S("220 a\r\n"), C("AUTH PLAIN dGVzdA==\r\nMAIL FROM:<a@b>\r\n"), S("235 ok\r\n250 ok\r\n")},
      {"S 220 greeting", "C #1 `AUTH PLAIN ` secret=8", "S 235 to #1 AUTH",
       "C #2 `MAIL FROM:<a@b>` pending=1 early", "S 250 to #2 MAIL"});
}

TEST_CASE("plaintext between STARTTLS and its 220 does not enter the queue") {
  expect_items({S("220 a\r\n"), C("STARTTLS\r\nMAIL FROM:<a@b>\r\n"), S("220 go\r\n"),
                C(std::string("\x16\x03\x01\x00\x02\x01\x00", 7))},
               {"S 220 greeting", "C #1 `STARTTLS`", "S 220 to #1 STARTTLS",
                "C junk (plaintext behind STARTTLS) `MAIL FROM:<a@b>`", "C TLS 22 2 handshake=1"});
}

TEST_CASE("the same behind a refused STARTTLS is a command") {
  expect_items({S("220 a\r\n"), C("STARTTLS\r\nMAIL FROM:<a@b>\r\n"), S("454 no\r\n250 ok\r\n")},
               {"S 220 greeting", "C #1 `STARTTLS`", "S 454 to #1 STARTTLS",
                "C #2 `MAIL FROM:<a@b>` pending=1 early", "S 250 to #2 MAIL"});
}

TEST_CASE("the 220 to XCLIENT is its reply, no greeting follows") {
  expect_items(
      {S("220 a\r\n"), C("EHLO x\r\n"), S("250-a\r\n250 CHUNKING\r\n"),
       C("XCLIENT ADDR=192.0.2.1\r\n"), S("220 host\r\n"), C("EHLO x\r\n"), S("250 ok\r\n")},
      {"S 220 greeting", "C #1 `EHLO x`", "S 250 to #1 EHLO lines=2",
       "C #2 `XCLIENT ADDR=192.0.2.1`", "S 220 to #2 XCLIENT", "C #3 `EHLO x`",
       "S 250 to #3 EHLO"});
}

TEST_CASE("XEXCH50 gets two replies, with counted octets between them") {
  expect_items({S("220 a\r\n"), C("XEXCH50 4 2\r\n"), S("354 go\r\n"), C("\r\nQURSET\r\n"),
                S("250 ok\r\n250 ok\r\n")},
               {"S 220 greeting", "C #1 `XEXCH50 4 2`", "S 354 to #1 XEXCH50", "C #1 blob 4",
                "C #2 `RSET` pending=1", "S 250 to #1 blob ordinal=1 owes=1", "S 250 to #2 RSET"});
}

TEST_CASE("a PROXY header before the greeting is no early talk") {
  expect_items({C("PROXY TCP4 192.0.2.1 192.0.2.2 5000 25\r\n"), S("220 a\r\n"), C("EHLO x\r\n"),
                S("250 ok\r\n")},
               {"C PROXY v1 `PROXY TCP4 192.0.2.1 192.0.2.2 5000 25`", "S 220 greeting",
                "C #1 `EHLO x`", "S 250 to #1 EHLO"});
}

TEST_CASE("a PROXY v2 header contains CRLF and QUIT and is binary all the same") {
  expect_items({C(std::string("\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\x7f\x00\x00\x01\x7f\x00\x00"
                              "\x01\x13\x88\x00\x19",
                              28)),
                S("220 a\r\n"), C("EHLO x\r\n"), S("250 ok\r\n")},
               {"C PROXY v2 ``", "S 220 greeting", "C #1 `EHLO x`", "S 250 to #1 EHLO"});
}

TEST_CASE("after ATRN the roles are swapped") {
  expect_items({S("220 a\r\n"), C("ATRN example.org\r\n"), S("250 ok\r\n"), C("220 b\r\n"),
                S("EHLO y\r\n"), C("250 b\r\n"), S("QUIT\r\n"), C("221 bye\r\n")},
               {"S 220 greeting", "C #1 `ATRN example.org`", "S 250 to #1 ATRN", "C 220 greeting",
                "S #3 `EHLO y`", "C 250 to #3 EHLO", "S #4 `QUIT`", "C 221 to #4 QUIT"});
}
