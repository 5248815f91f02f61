// Gaps, traces that begin in the middle, one-sided traces, and ends.

#include "tests/catch.h"
#include "tests/parser/expect_items.h"

using namespace smtpscope;
using namespace smtpscope::test;

TEST_CASE("a gap in a command: the rest is skipped up to the next known verb") {
  expect_items({S("220 a\r\n"), C("MAIL FR"), gap(Side::kClient, 9), C("b>\r\nRCPT TO:<c@d>\r\n"),
                S("250 ok\r\n250 ok\r\n")},
               {"S 220 greeting", "C junk (cut by a gap) `MAIL FR`",
                "C junk (skipped after a gap) `` secret=2", "C #1 `RCPT TO:<c@d>` after-gap",
                "S 250 to #1 RCPT", "S 250 orphan"});
}

TEST_CASE("a gap in AUTH never shows what is left of the credentials") {
  expect_items({S("220 a\r\n"), C("AUTH PLAIN dGV"), gap(Side::kClient, 3), C("A==\r\nQUIT\r\n")},
               {"S 220 greeting", "C junk (cut by a gap) `AUTH PLAIN ` secret=3",
                "C junk (skipped after a gap) `` secret=3", "C #1 `QUIT` after-gap"});
}

TEST_CASE("a gap in an AUTH response") {
  expect_items({S("220 a\r\n"), C("AUTH LOGIN\r\n"), S("334 x\r\n"), C("dXN"),
                gap(Side::kClient, 3), C("==\r\n"), S("334 y\r\n"), C("QUIT\r\n")},
               {"S 220 greeting", "C #1 `AUTH LOGIN`", "S 334 to #1 AUTH",
                "C junk (cut by a gap) `` secret=3", "C junk (skipped after a gap) `` secret=2",
                "S 334 orphan", "C #2 `QUIT` after-gap"});
}

TEST_CASE("replies lost in a gap are not waited for once the client goes on") {
  expect_items({S("220 a\r\n"), C("MAIL FROM:<a@b>\r\n"), gap(Side::kServer, 8),
                C("RCPT TO:<c@d>\r\n"), S("250 2\r\n")},
               {"S 220 greeting", "C #1 `MAIL FROM:<a@b>`", "C #2 `RCPT TO:<c@d>`",
                "S 250 to #2 RCPT after-gap"});
}

TEST_CASE("a reply that a gap cuts counts, and garbage behind the gap is skipped") {
  expect_items({S("220 a\r\n"), C("EHLO x\r\n"), S("250-a\r\n250-SI"), gap(Side::kServer, 20),
                S("ELINING\r\n250 HELP\r\n"), C("NOOP\r\n"), S("250 ok\r\n")},
               {"S 220 greeting", "C #1 `EHLO x`", "S 250 to #1 EHLO incomplete",
                "S junk (cut by a gap) `250-SI`", "S junk (skipped after a gap) `ELINING`",
                "S 250 orphan after-gap", "C #2 `NOOP`", "S 250 to #2 NOOP"});
}

TEST_CASE("the 354 was lost in a gap: text is content, a verb is a command") {
  expect_items(
      {S("220 a\r\n"), C("DATA\r\n"), gap(Side::kServer, 8), C("Hi: x\r\n.\r\nQUIT\r\n"),
       S("250 ok\r\n221 bye\r\n")},
      {"S 220 greeting", "C #1 `DATA`", "C #2 data 7 octets, strict assumed",
       "C #3 `QUIT` pending=1", "S 250 to #2 end of data owes=1 after-gap", "S 221 to #3 QUIT"});
  expect_items(
      {S("220 a\r\n"), C("DATA\r\n"), gap(Side::kServer, 8), C("RSET\r\n"), S("250 ok\r\n")},
      {"S 220 greeting", "C #1 `DATA`", "C #2 `RSET`", "S 250 to #2 RSET after-gap"});
}

TEST_CASE("the 354 was lost, and the reply to the whole message shows it") {
  expect_items({S("220 a\r\n"), C("DATA\r\nx\r\n.\r\n"), gap(Side::kServer, 8), S("250 ok\r\n")},
               {"S 220 greeting", "C #1 `DATA`", "C #2 data 3 octets, strict assumed",
                "S 250 to #2 end of data after-gap"});
}

TEST_CASE("octets of mail data are missing, its end is seen") {
  expect_items({S("220 a\r\n"), C("DATA\r\n"), S("354 go\r\n"), C("abc"), gap(Side::kClient, 100),
                C("def\r\n.\r\n"), S("250 ok\r\n")},
               {"S 220 greeting", "C #1 `DATA`", "S 354 to #1 DATA",
                "C #2 data 8 octets, strict missing=100", "S 250 to #2 end of data"});
}

TEST_CASE("the end of mail data lies in a gap: the reply shows it") {
  expect_items(
      {S("220 a\r\n"), C("DATA\r\n"), S("354 go\r\n"), C("abc"), gap(Side::kClient, 100),
       C("x\r\nRSET\r\n"), S("250 ok\r\n250 ok\r\n")},
      {"S 220 greeting", "C #1 `DATA`", "S 354 to #1 DATA", "C #2 data 3 octets, gap missing=100",
       "S 250 to #2 end of data", "C junk (skipped after a gap) `` secret=1",
       "C #3 `RSET` pending=1 after-gap", "S 250 to #3 RSET"});
}

TEST_CASE("octets of a chunk are missing, or more than it has") {
  const Script begin = {S("220 a\r\n"), C("EHLO x\r\n"), S("250-a\r\n250 CHUNKING\r\n"),
                        C("BDAT 10 LAST\r\nab")};
  Script inside = begin;
  inside.insert(inside.end(), {gap(Side::kClient, 6), C("ijQUIT\r\n"), S("250 ok\r\n")});
  expect_items(
      inside, {"S 220 greeting", "C #1 `EHLO x`", "S 250 to #1 EHLO lines=2", "C #2 `BDAT 10 LAST`",
               "C #2 chunk 10 last missing=6", "C #3 `QUIT` pending=1", "S 250 to #2 BDAT owes=1"});
  Script beyond = begin;
  beyond.insert(beyond.end(), {gap(Side::kClient, 9), C("T\r\nNOOP\r\n"), S("250 ok\r\n")});
  expect_items(beyond, {"S 220 greeting", "C #1 `EHLO x`", "S 250 to #1 EHLO lines=2",
                        "C #2 `BDAT 10 LAST`", "C #2 chunk 10 last missing=8 incomplete",
                        "C junk (skipped after a gap) `` secret=1",
                        "C #3 `NOOP` pending=1 after-gap", "S 250 to #2 BDAT owes=1"});
}

TEST_CASE("a trace that begins in the middle of a message") {
  expect_items(
      {C("some text, not base64\r\nmore of it\r\n.\r\n"), S("ail\r\n250 ok\r\n"),
       C("MAIL FROM:<a@b>\r\n"), S("250 ok\r\n")},
      {"C junk (before the first command seen) `` secret=21",
       "C junk (before the first command seen) `more of it`",
       "C junk (before the first command seen) `.`", "S junk (before the first command seen) `ail`",
       "S 250 orphan", "C #0 `MAIL FROM:<a@b>`", "S 250 to #0 MAIL"},
      Conversation::Start::kMidSession);
}

TEST_CASE("a trace that begins in the header section of a message") {
  expect_items(
      {C("rest of a line\r\nSubject: hi\r\n\r\nMAIL FROM:<no@command>\r\n.\r\nQUIT\r\n"),
       S("250 ok\r\n221 bye\r\n")},
      {"C junk (before the first command seen) `` secret=14", "C #0 data 39 octets, strict assumed",
       "C #1 `QUIT` pending=1", "S 250 to #0 end of data owes=1", "S 221 to #1 QUIT"},
      Conversation::Start::kMidSession);
  // Where a session is here from its beginning such a line is a command, if a strange one.
  expect_items({S("220 hi\r\n"), C("Subject: hi\r\n")}, {"S 220 greeting", "C #1 `Subject: hi`"});
}

TEST_CASE("a trace that begins between DATA or AUTH and the reply") {
  expect_items({S("354 go\r\n"), C("x\r\n.\r\n"), S("250 ok\r\n")},
               {"S 354 orphan", "C #0 data 3 octets, strict", "S 250 to #0 end of data"},
               Conversation::Start::kMidSession);
  expect_items({S("334 UGFzc3dvcmQ6\r\n"), C("c2VjcmV0\r\n"), S("235 ok\r\n")},
               {"S 334 orphan", "C #0 response secret=8", "S 235 to #0 response"},
               Conversation::Start::kMidSession);
}

TEST_CASE("in mid-session BDAT is taken for offered") {
  expect_items({C("BDAT 4 LAST\r\nQUIT"), S("250 ok\r\n")},
               {"C #0 `BDAT 4 LAST`", "C #0 chunk 4 last", "S 250 to #0 BDAT"},
               Conversation::Start::kMidSession);
}

TEST_CASE("only the client's side was traced: the client is taken at its word") {
  expect_items({C("EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nHi\r\n.\r\nAUTH LOGIN\r\n"
                  "dXNlcg==\r\nBDAT 3 LAST\r\nabcQUIT\r\n")},
               {"C #1 `EHLO x` pending=1", "C #2 `MAIL FROM:<a@b>` pending=2",
                "C #3 `RCPT TO:<c@d>` pending=3", "C #4 `DATA` pending=4",
                "C #5 data 4 octets, strict assumed", "C #6 `AUTH LOGIN` pending=6",
                "C #7 `` pending=7 secret=8", "C #8 `BDAT 3 LAST` pending=8", "C #8 chunk 3 last",
                "C #9 `QUIT` pending=9"});
}

TEST_CASE("only the server's side was traced: replies answer nothing") {
  expect_items({S("220 a\r\n250-a\r\n250 b\r\n354 go\r\n250 ok\r\n")},
               {"S 220 greeting", "S 250 orphan lines=2", "S 354 orphan", "S 250 orphan"});
}

TEST_CASE("what waited behind a barrier when the session ended is undecided") {
  expect_items({S("220 a\r\n"), C("DATA\r\nHi there\r\nbye")},
               {"S 220 greeting", "C #1 `DATA`",
                "C junk (undecided) `Hi there\\r\\nbye` bare-cr"
                " control"});
}

TEST_CASE("what waited behind AUTH is never shown") {
  expect_items({S("220 a\r\n"), C("AUTH LOGIN\r\ndXNlcg==\r\nc2VjcmV0\r\n")},
               {"S 220 greeting", "C #1 `AUTH LOGIN`", "C junk (undecided) `` secret=8",
                "C junk (undecided) `` secret=8"});
  expect_items({S("220 a\r\n"), C("STARTTLS\r\nEHLO x\r\nAUTH PLAIN dGVzdA==\r\nNOOP\r\n")},
               {"S 220 greeting", "C #1 `STARTTLS`",
                "C junk (undecided) `EHLO x\\r\\nAUTH PLAIN ` bare-cr control secret=8",
                "C junk (undecided) `NOOP\\r\\n` bare-cr control"});
}

TEST_CASE("unfinished lines at the end") {
  expect_items({S("220 a\r\n"), C("MAIL FROM:<a@b>\r\nQUI"), S("250-o"), eof(Side::kClient),
                eof(Side::kServer)},
               {"S 220 greeting", "C #1 `MAIL FROM:<a@b>`", "C #- `QUI` pending=1 unfinished",
                "S 250 to #1 MAIL owes=1 incomplete unfinished"});
  expect_items({S("22")}, {"S garbage `22` unfinished"});
  expect_items({S("220 a\r\n"), C("AUTH PLAIN dGVz"), eof(Side::kClient)},
               {"S 220 greeting", "C #- `AUTH PLAIN ` unfinished secret=4"});
  expect_items({S("220-a\r\n")}, {"S 220 greeting owes=1 incomplete"});
}

TEST_CASE("mail data that the end of the stream cuts") {
  expect_items({S("220 a\r\n"), C("DATA\r\n"), S("354 go\r\n"), C("abc"), eof(Side::kClient)},
               {"S 220 greeting", "C #1 `DATA`", "S 354 to #1 DATA", "C #- data 3 octets, cut"});
  expect_items({S("220 a\r\n"), C("DATA\r\n"), S("354 go\r\n"), eof(Side::kClient)},
               {"S 220 greeting", "C #1 `DATA`", "S 354 to #1 DATA"});
}

TEST_CASE("a lenient server may still answer a looser end after the client has gone") {
  expect_items({S("220 a\r\n"), C("DATA\r\n"), S("354 go\r\n"), C("abc\n.\n"), eof(Side::kClient),
                S("250 ok\r\n")},
               {"S 220 greeting", "C #1 `DATA`", "S 354 to #1 DATA",
                "C #2 data 6 octets, candidate", "S 250 to #2 end of data"});
}

TEST_CASE("chunks and blobs that the end of the stream cuts") {
  expect_items({S("220 a\r\n"), C("EHLO x\r\n"), S("250-a\r\n250 CHUNKING\r\n"), C("BDAT 10\r\nab"),
                eof(Side::kClient)},
               {"S 220 greeting", "C #1 `EHLO x`", "S 250 to #1 EHLO lines=2", "C #2 `BDAT 10`",
                "C #2 chunk 10 incomplete"});
  expect_items(
      {S("220 a\r\n"), C("XEXCH50 9 1\r\n"), S("354 go\r\n"), C("ab")},
      {"S 220 greeting", "C #1 `XEXCH50 9 1`", "S 354 to #1 XEXCH50", "C #1 blob 9 incomplete"});
}

TEST_CASE("what the server offered was in a gap: a chunk is still a chunk") {
  expect_items({S("220 a\r\n"), C("EHLO x\r\n"), S("250-a\r\n"), gap(Side::kServer, 20),
                C("BDAT 4\r\nQUIT"), S("250 ok\r\n")},
               {"S 220 greeting", "C #1 `EHLO x`", "S 250 to #1 EHLO incomplete", "C #2 `BDAT 4`",
                "C #2 chunk 4", "S 250 to #2 BDAT after-gap"});
}

TEST_CASE("a line behind a gap does not belong to the bare-LF line before it") {
  expect_items({S("220 a\r\n"), C("NOOP\n"), gap(Side::kClient, 5), C("RSET\r\n"), S("250 1\r\n"),
                C("QUIT\r\n"), S("250 2\r\n221 3\r\n")},
               {"S 220 greeting", "C #1 `NOOP` LF", "C #2 `RSET` pending=1 after-gap",
                "S 250 to #1 NOOP owes=1", "C #3 `QUIT` pending=1", "S 250 to #2 RSET owes=1",
                "S 221 to #3 QUIT"});
}

TEST_CASE("the STARTTLS or its 220 was in a gap: records tell") {
  const std::string hello("\x16\x03\x01\x00\x02\x01\x00", 7);
  const std::string answer("\x16\x03\x03\x00\x02\x02\x00", 7);
  expect_items(
      {S("220 a\r\n"), C("STARTTLS\r\n"), gap(Side::kServer, 8), C(hello), S(answer)},
      {"S 220 greeting", "C #1 `STARTTLS`", "C TLS 22 2 handshake=1", "S TLS 22 2 handshake=2"});
  expect_items({S("220 a\r\n"), gap(Side::kClient, 10), S("220 go\r\n"), C(hello), S(answer)},
               {"S 220 greeting", "S 220 orphan", "C TLS 22 2 handshake=1",
                "S TLS 22 2 handshake=2"});  // The proof comes with the server's second octet: then
                                             // the client's record is set free.
  expect_items(
      {S("220 a\r\n"), C("STARTTLS\r\n" + hello), gap(Side::kServer, 8), S(answer)},
      {"S 220 greeting", "C #1 `STARTTLS`", "C TLS 22 2 handshake=1", "S TLS 22 2 handshake=2"});
  expect_items({S("220 a\r\n"), C("EHLO x\r\n"), S("250 a\r\n"), gap(Side::kClient, 10),
                gap(Side::kServer, 8), C(hello), S(answer)},
               {"S 220 greeting", "C #1 `EHLO x`", "S 250 to #1 EHLO", "C TLS 22 2 handshake=1",
                "S TLS 22 2 handshake=2"});
  expect_items({S("220 a\r\n"), C("EHLO x\r\n"), S("250 a\r\n"), gap(Side::kClient, 10),
                gap(Side::kServer, 8), S(answer), C(hello)},
               {"S 220 greeting", "C #1 `EHLO x`", "S 250 to #1 EHLO", "S TLS 22 2 handshake=2",
                "C TLS 22 2 handshake=1"});
}
