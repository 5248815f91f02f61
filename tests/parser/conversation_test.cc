// What the golden cases leave open.

#include "parser/conversation.h"

#include "tests/catch.h"
#include "tests/parser/expect_items.h"

using namespace smtpscope;
using namespace smtpscope::test;

namespace {

const std::string kClientHello("\x16\x03\x01\x00\x02\x01\x00", 7);
const std::string kServerHello("\x16\x03\x03\x00\x02\x02\x00", 7);

std::string repeat(std::string_view text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

}  // namespace

TEST_CASE("a 421 answers the oldest command and voids the rest") {
  expect_items({S("220 a\r\n"), C("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"),
                S("421 bye\r\n250 x\r\n"), C("QUIT\r\n"), S("221 x\r\n")},
               {"S 220 greeting", "C #1 `MAIL FROM:<a@b>`", "C #2 `RCPT TO:<c@d>` pending=1",
                "S 421 to #1 MAIL", "S 250 orphan", "C #3 `QUIT`", "S 221 to #3 QUIT"});
}

TEST_CASE("a 421 lifts the barrier of a DATA that waits behind other commands") {
  expect_items({S("220 a\r\n"), C("MAIL FROM:<a@b>\r\nDATA\r\nRSET\r\n"), S("421 bye\r\n")},
               {"S 220 greeting", "C #1 `MAIL FROM:<a@b>`", "C #2 `DATA` pending=1",
                "S 421 to #1 MAIL", "C #3 `RSET` pending=1 early"});
}

TEST_CASE("a 421 while mail data is being sent ends the session, not the message") {
  expect_items({S("220 a\r\n"), C("DATA\r\n"), S("354 go\r\n"), C("a\n.\nb\r\n"), S("421 bye\r\n"),
                C(".\r\n")},
               {"S 220 greeting", "C #1 `DATA`", "S 354 to #1 DATA", "S 421 unsolicited",
                "C #2 data 7 octets, strict"});
}

TEST_CASE("a final reply before the end of data is its answer") {
  expect_items({S("220 a\r\n"), C("DATA\r\n"), S("354 go\r\n"), C("abc\r\n"), S("552 too big\r\n"),
                C("def\r\n.\r\nQUIT\r\n"), S("221 bye\r\n")},
               {"S 220 greeting", "C #1 `DATA`", "S 354 to #1 DATA", "S 552 to #2 end of data",
                "C #2 data 10 octets, strict answered-early", "C #3 `QUIT`", "S 221 to #3 QUIT"});
}

TEST_CASE("a candidate is given up once too much follows it") {
  const std::string much = repeat("0123456789abcde\r\n", 1000);
  const Script script = {S("220 a\r\n"),     C("DATA\r\n"),   S("354 go\r\n"),
                         C("a\n.\n" + much), S("250 ok\r\n"), C(".\r\n")};
  CHECK(find_fault(script, Conversation::Start::kBeginning, 3, 10) == "");
  const auto items = run(script, Conversation::Start::kBeginning, [] { return 4096; }).items;
  CHECK(items == std::vector<std::string>{"S 220 greeting", "C #1 `DATA`", "S 354 to #1 DATA",
                                          "S 250 to #2 end of data",
                                          "C #2 data 17004 octets, strict answered-early"});
}

TEST_CASE("PRDR: 353, one reply per accepted recipient, a final one") {
  expect_items(
      {S("220 a\r\n"), C("EHLO x\r\n"), S("250-a\r\n250 PRDR\r\n"),
       C("MAIL FROM:<a@b> SIZE=10 prdr\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n"),
       S("250 1\r\n250 2\r\n250 3\r\n354 go\r\n"), C("x\r\n.\r\nQUIT\r\n"),
       S("353 each\r\n250 c\r\n550 e\r\n250 all\r\n221 bye\r\n")},
      {"S 220 greeting", "C #1 `EHLO x`", "S 250 to #1 EHLO lines=2",
       "C #2 `MAIL FROM:<a@b> SIZE=10 prdr`", "C #3 `RCPT TO:<c@d>` pending=1",
       "C #4 `RCPT TO:<e@f>` pending=2", "C #5 `DATA` pending=3", "S 250 to #2 MAIL owes=3",
       "S 250 to #3 RCPT owes=2", "S 250 to #4 RCPT owes=1", "S 354 to #5 DATA",
       "C #6 data 3 octets, strict", "C #7 `QUIT` pending=1", "S 353 to #6 end of data owes=4",
       "S 250 to #6 end of data ordinal=1 owes=3", "S 550 to #6 end of data ordinal=2 owes=2",
       "S 250 to #6 end of data ordinal=3 owes=1", "S 221 to #7 QUIT"});
}

TEST_CASE("LMTP, pipelined: the last chunk's replies are known when its turn comes") {
  expect_items(
      {S("220 a\r\n"), C("LHLO x\r\n"), S("250-a\r\n250 CHUNKING\r\n"),
       C("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nBDAT 2 LAST\r\nxyQUIT\r\n"),
       S("250 1\r\n250 2\r\n250 3\r\n250 c\r\n452 e\r\n221 bye\r\n")},
      {"S 220 greeting", "C #1 `LHLO x`", "S 250 to #1 LHLO lines=2", "C #2 `MAIL FROM:<a@b>`",
       "C #3 `RCPT TO:<c@d>` pending=1", "C #4 `RCPT TO:<e@f>` pending=2",
       "C #5 `BDAT 2 LAST` pending=3", "C #5 chunk 2 last", "C #6 `QUIT` pending=4",
       "S 250 to #2 MAIL owes=4", "S 250 to #3 RCPT owes=3", "S 250 to #4 RCPT owes=3",
       "S 250 to #5 BDAT owes=2", "S 452 to #5 BDAT ordinal=1 owes=1", "S 221 to #6 QUIT"});
}

TEST_CASE("LMTP, pipelined: no recipient was accepted, the last chunk is skipped") {
  expect_items({S("220 a\r\n"), C("LHLO x\r\n"), S("250-a\r\n250 CHUNKING\r\n"),
                C("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 2 LAST\r\nxyRSET\r\n"),
                S("250 1\r\n550 2\r\n250 rset\r\n")},
               {"S 220 greeting", "C #1 `LHLO x`", "S 250 to #1 LHLO lines=2",
                "C #2 `MAIL FROM:<a@b>`", "C #3 `RCPT TO:<c@d>` pending=1",
                "C #4 `BDAT 2 LAST` pending=2", "C #4 chunk 2 last", "C #5 `RSET` pending=3",
                "S 250 to #2 MAIL owes=3", "S 550 to #3 RCPT owes=1", "S 250 to #5 RSET"});
}

TEST_CASE("BDAT that was not offered and is accepted all the same") {
  expect_items({S("220 a\r\n"), C("HELO x\r\n"), S("250 a\r\n"), C("BDAT 4\r\nQUIT"),
                S("250 ok\r\n"), C("RSET\r\n")},
               {"S 220 greeting", "C #1 `HELO x`", "S 250 to #1 HELO", "C #2 `BDAT 4`",
                "S 250 to #2 BDAT", "C #2 chunk 4", "C #3 `RSET`"});
}

TEST_CASE("a malformed BDAT announces nothing") {
  for (const char* argument : {"", "x", "-1", "18446744073709551616", "3 FIRST", "3 LAST x"}) {
    CAPTURE(argument);
    const Script script = {S("220 a\r\n"), C("EHLO x\r\n"), S("250-a\r\n250 CHUNKING\r\n"),
                           C(std::string("BDAT ") + argument + "\r\nQUIT\r\n")};
    const auto items = run(script, Conversation::Start::kBeginning, [] { return 1000; }).items;
    REQUIRE(items.size() == 5);
    CHECK(items[4] == "C #3 `QUIT` pending=1");
  }
}

TEST_CASE("facts run on over the chunks of a message and begin anew with the next") {
  const Script script = {S("220 a\r\n"), C("EHLO x\r\n"), S("250-a\r\n250 CHUNKING\r\n"),
                         C("BDAT 3\r\na\r\nBDAT 3 LAST\r\nb\r\nMAIL FROM:<a@b>\r\nBDAT "
                           "2\r\ncdRSET\r\nBDAT 1 LAST\r\neBDAT 1\r\nf")};
  std::vector<std::uint64_t> octets;
  Conversation conversation;
  for (const Step& step : script) {
    conversation.receive(
        step.side, {reinterpret_cast<const std::uint8_t*>(step.octets.data()), step.octets.size()});
    while (const Item* item = conversation.next()) {
      if (const auto* chunk = std::get_if<Chunk>(&item->body))
        octets.push_back(chunk->facts.octets);
    }
  }
  CHECK(octets == std::vector<std::uint64_t>{3, 6, 2, 1, 1});
}

TEST_CASE("TLS: both sides' records, handshake types, alerts in the clear") {
  const std::string change_cipher("\x14\x03\x03\x00\x01\x01", 6);
  const std::string sealed("\x16\x03\x03\x00\x03xyz", 8);
  const std::string alert("\x15\x03\x03\x00\x02\x02\x28", 7);
  expect_items({S("220 a\r\n"), C("EHLO x\r\n"), S("250-a\r\n250 STARTTLS\r\n"), C("STARTTLS\r\n"),
                S("220 go\r\n"), C(kClientHello), S(kServerHello + alert),
                C(change_cipher + sealed + alert)},
               {"S 220 greeting", "C #1 `EHLO x`", "S 250 to #1 EHLO lines=2", "C #2 `STARTTLS`",
                "S 220 to #2 STARTTLS", "C TLS 22 2 handshake=1", "S TLS 22 2 handshake=2",
                "S TLS 21 2 alert=2/40", "C TLS 20 1", "C TLS 22 3", "C TLS 21 2"});
}

TEST_CASE("TLS: plaintext of the server behind its 220 is told apart from later nonsense") {
  expect_items({S("220 a\r\n"), C("STARTTLS\r\n"), S("220 go\r\n250 injected\r\n"), C(kClientHello),
                S(kServerHello + "454 oops\r\n")},
               {"S 220 greeting", "C #1 `STARTTLS`", "S 220 to #1 STARTTLS",
                "S junk (plaintext behind STARTTLS) `250 injected`", "C TLS 22 2 handshake=1",
                "S TLS 22 2 handshake=2", "S junk (not a TLS record) `454 oops`"});
}

TEST_CASE("TLS: a client that goes on in the clear does not show its credentials") {
  expect_items({S("220 a\r\n"), C("STARTTLS\r\n"), S("220 go\r\n"),
                C("AUTH PLAIN dGVzdA==\r\ndGVzdA==\r\nNOOP x\r\n")},
               {"S 220 greeting", "C #1 `STARTTLS`", "S 220 to #1 STARTTLS",
                "C junk (plaintext behind STARTTLS) `AUTH PLAIN ` secret=8",
                "C junk (plaintext behind STARTTLS) `` secret=8",
                "C junk (plaintext behind STARTTLS) `NOOP x`"});
}

TEST_CASE("TLS from the first octet: the server's own octets tell what it speaks") {
  expect_items({C(kClientHello), S(kServerHello)},
               {"C TLS 22 2 handshake=1", "S TLS 22 2 handshake=2"});
  expect_items({C(kClientHello), S("220 a\r\n500 what\r\n")},
               {"C TLS 22 2 handshake=1", "S 220 greeting", "S 500 orphan"});
  expect_items({C("\x16hello\r\n"), S("220 a\r\n500 what\r\n")},
               {"C #1 `\\x16hello` pending=1 control", "S 220 greeting owes=1", "S 500 to #1 ?"});
  expect_items({C("PROXY UNKNOWN\r\n" + kClientHello)},
               {"C PROXY v1 local `PROXY UNKNOWN`", "C TLS 22 2 handshake=1"});
}

TEST_CASE("a record that the end cuts") {
  expect_items({C(kClientHello + std::string("\x17\x03\x03\x00\x09xyz", 8))},
               {"C TLS 22 2 handshake=1", "C TLS 23 9 incomplete"});
  expect_items({C(kClientHello + "\x17\x03")}, {"C TLS 22 2 handshake=1", "C TLS 23 0 incomplete"});
}

TEST_CASE("PROXY: only as the very first line, and only as it is defined") {
  expect_items({C("PROXY FOO\r\n"), S("220 a\r\n500 what\r\n")},
               {"C #1 `PROXY FOO` pending=1", "S 220 greeting owes=1", "S 500 to #1 ?"});
  expect_items({C("NOOP\r\nPROXY UNKNOWN\r\n")},
               {"C #1 `NOOP` pending=1", "C #2 `PROXY UNKNOWN` pending=2"});
  expect_items({C(std::string("\r\n\r\n\0\r\nQUIT\n\x31", 13) + "\r\n")},
               {"C #1 `` pending=1", "C #2 `` pending=2", "C #3 `\\x00` pending=3 nul",
                "C #4 `QUIT` pending=4 LF", "C #5 `1` pending=5"});
  expect_items({C(std::string("\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x02yz", 18)), S("220 a\r\n")},
               {"C PROXY v2 local ``", "S 220 greeting"});
}

TEST_CASE("AUTH: lines behind a refused AUTH are suspect until a verb is known") {
  expect_items({S("220 a\r\n"), C("AUTH LOGIN\r\n"), S("504 no\r\n"),
                C("dXNlcg==\r\nmy secret\r\n"), S("500 a\r\n500 b\r\n"), C("NOOP\r\nwhat\r\n")},
               {"S 220 greeting", "C #1 `AUTH LOGIN`", "S 504 to #1 AUTH", "C #2 `` secret=8",
                "C #3 `` pending=1 secret=9", "S 500 to #2 ? owes=1", "S 500 to #3 ?",
                "C #4 `NOOP`", "C #5 `what` pending=1"});
}

TEST_CASE("AUTH: responses sent without waiting are responses") {
  expect_items({S("220 a\r\n"), C("AUTH LOGIN\r\ndXNlcg==\r\nc2VjcmV0\r\nNOOP\r\n"),
                S("334 u\r\n334 p\r\n235 ok\r\n250 ok\r\n")},
               {"S 220 greeting", "C #1 `AUTH LOGIN`", "S 334 to #1 AUTH", "C #2 response secret=8",
                "S 334 to #2 response", "C #3 response secret=8", "S 235 to #3 response",
                "C #4 `NOOP` pending=1 early", "S 250 to #4 NOOP"});
}

TEST_CASE("AUTH: what is no mechanism counts as credentials, however it is spelled") {
  expect_items(
      {S("220 a\r\n"), C("auth dGVzdA==\r\n"), S("504 no\r\n"), C("AUTH=PLAIN dGVzdA==\r\n"),
       S("500 no\r\n"), C("NOOP\r\n\t AUTH  PLAIN  x y \r\n")},
      {"S 220 greeting", "C #1 `auth ` secret=8", "S 504 to #1 AUTH", "C #2 `` secret=19",
       "S 500 to #2 ?", "C #3 `NOOP`", "C #4 `\\x09 AUTH  PLAIN  ` pending=1 secret=4"});
  expect_items({S("220 a\r\n"), C("AUTH=PLAIN dGVzdA==\r\n")},
               {"S 220 greeting", "C #1 `AUTH` secret=15"});
}

TEST_CASE("AUTH: a server that gives up waiting for the response") {
  expect_items({S("220 a\r\n"), C("AUTH LOGIN\r\n"), S("334 u\r\n535 too late\r\n"),
                C("dXNlcg==\r\n"), S("500 what\r\n"), C("QUIT\r\n")},
               {"S 220 greeting", "C #1 `AUTH LOGIN`", "S 334 to #1 AUTH", "S 535 orphan",
                "C #2 `` secret=8", "S 500 to #2 ?", "C #3 `QUIT`"});
}

TEST_CASE("bare-LF lines are not taken back where pipelining was offered") {
  expect_items(
      {S("220 a\r\n"), C("EHLO x\r\n"), S("250-a\r\n250 PIPELINING\r\n"),
       C("MAIL FROM:<a@b>\nRCPT TO:<c@d>\n"), S("250 1\r\n"), C("NOOP\r\n")},
      {"S 220 greeting", "C #1 `EHLO x`", "S 250 to #1 EHLO lines=2", "C #2 `MAIL FROM:<a@b>` LF",
       "C #3 `RCPT TO:<c@d>` pending=1 LF", "S 250 to #2 MAIL owes=1", "C #4 `NOOP` pending=1"});
}

TEST_CASE("line endings, odd octets and empty lines are told") {
  expect_items(
      {S("220 a\r\n"), C("NOOP\r\r\n"), C(std::string("NO\0OP\x80\x01\r!\n", 10)), C("\r\n")},
      {"S 220 greeting", "C #1 `NOOP` CRCRLF",
       "C #2 `NO\\x00OP\\x80\\x01\\r!` pending=1 nul 8bit bare-cr control LF",
       "C #3 `` pending=2"});
}

TEST_CASE("garbage inside a multi-line reply belongs to it") {
  expect_items({S("220-a\r\nwhat\r\n220 b\r\n")}, {"S 220 greeting lines=3"});
}

TEST_CASE("lines longer than what is kept are counted to their end and never split") {
  const std::string word(100'000, 'x');
  const Script script = {S("220 a\r\n"), C("NOOP " + word + "\r\nQUIT\r\n"),
                         S("250 " + word + "\r\n")};
  CHECK(find_fault(script, Conversation::Start::kBeginning, 2, 10) == "");
  const auto items = run(script, Conversation::Start::kBeginning, [] { return 999; }).items;
  REQUIRE(items.size() == 4);
  CHECK(items[1] == "C #1 `NOOP " + word.substr(0, 16 * 1024 - 5) + "` cut");
  CHECK(items[2] == "C #2 `QUIT` pending=1");
  CHECK(items[3] == "S 250 to #1 NOOP owes=1 cut");
}

TEST_CASE("more lines of a reply than are kept are counted, the last code counts") {
  const Script script = {S(repeat("220-x\r\n", 1000) + "554 no\r\n")};
  CHECK(find_fault(script, Conversation::Start::kBeginning, 2, 10) == "");
  CHECK(run(script, Conversation::Start::kBeginning, [] { return 64; }).items ==
        std::vector<std::string>{"S 554 greeting lines=1001 codes-differ"});
}

TEST_CASE("a message that is sent before the 354, larger than is held, is taken for content") {
  const std::string text = repeat("0123456789abcdef\r\n", 20'000);
  const Script script = {S("220 a\r\n"), C("DATA\r\n" + text), S("354 go\r\n"), C("x\r\n.\r\n"),
                         S("250 ok\r\n")};
  CHECK(find_fault(script, Conversation::Start::kBeginning, 0, 4) == "");
  CHECK(run(script, Conversation::Start::kBeginning, [] { return 5000; }).items ==
        std::vector<std::string>{"S 220 greeting", "C #1 `DATA`", "S 354 to #1 DATA",
                                 "C #2 data 360003 octets, strict early=360000 assumed",
                                 "S 250 to #2 end of data"});
}

TEST_CASE("as much as is held, to the octet, still waits for the reply") {
  const std::string text(256 * 1024 - 5, 'x');
  for (const auto& [more, item] : {std::pair{"", "C #2 data 262141 octets, strict early=262139"},
                                   std::pair{"x", "C #2 data 262142 octets, strict early=262140"},
                                   std::pair{"xyzab",
                                             "C #2 data 262146 octets, strict "
                                             "early=262144"},
                                   std::pair{"xyzabc",
                                             "C #2 data 262147 octets, strict "
                                             "early=262145 assumed"}}) {
    const Script script = {S("220 a\r\n"), C("DATA\r\n" + text + more), S("354 go\r\n"),
                           C("\r\n.\r\n")};
    CHECK(find_fault(script, Conversation::Start::kBeginning, 0, 3) == "");
    CHECK(run(script, Conversation::Start::kBeginning, [] { return ~std::size_t{0}; }).items[3] ==
          item);
  }
}

TEST_CASE("XCLIENT makes what the server offered void") {
  expect_items(
      {S("220 a\r\n"), C("EHLO x\r\n"), S("250-a\r\n250 CHUNKING\r\n"), C("XCLIENT NAME=x\r\n"),
       S("220 a\r\n"), C("BDAT 1\r\nx\r\n"), S("503 no\r\n")},
      {"S 220 greeting", "C #1 `EHLO x`", "S 250 to #1 EHLO lines=2", "C #2 `XCLIENT NAME=x`",
       "S 220 to #2 XCLIENT", "C #3 `BDAT 1`", "S 503 to #3 BDAT", "C #4 `x` pending=1 early"});
}

TEST_CASE("LMTP: the recipients of a message are not those of the next") {
  expect_items(
      {S("220 a\r\n"), C("LHLO x\r\n"), S("250-a\r\n250 CHUNKING\r\n"),
       C("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 0 LAST\r\n"), S("250 1\r\n250 2\r\n250 3\r\n"),
       C("BDAT 0 LAST\r\nRSET\r\n"), S("250 ok\r\n")},
      {"S 220 greeting", "C #1 `LHLO x`", "S 250 to #1 LHLO lines=2", "C #2 `MAIL FROM:<a@b>`",
       "C #3 `RCPT TO:<c@d>` pending=1", "C #4 `BDAT 0 LAST` pending=2", "C #4 chunk 0 last",
       "S 250 to #2 MAIL owes=2", "S 250 to #3 RCPT owes=1", "S 250 to #4 BDAT",
       "C #- `BDAT 0 LAST`", "C #- chunk 0 last", "C #5 `RSET`", "S 250 to #5 RSET"});
}

TEST_CASE("the same with a refused DATA: its end is owed nothing") {
  const std::string text = repeat("0123456789abcdef\r\n", 20'000);
  const Script script = {S("220 a\r\n"),  C("DATA\r\n" + text), S("503 no\r\n500 what\r\n"),
                         C("x\r\n.\r\n"), C("QUIT\r\n"),        S("221 bye\r\n")};
  CHECK(find_fault(script, Conversation::Start::kBeginning, 0, 4) == "");
  CHECK(run(script, Conversation::Start::kBeginning, [] { return 5000; }).items ==
        std::vector<std::string>{"S 220 greeting", "C #1 `DATA`", "S 503 to #1 DATA",
                                 "S 500 orphan",
                                 "C #- data 360003 octets, strict early=360000 assumed",
                                 "C #2 `QUIT`", "S 221 to #2 QUIT"});
}

TEST_CASE("more behind AUTH than is held is junk up to the reply") {
  const std::string text = repeat("c2VjcmV0\r\n", 30'000);
  const Script script = {S("220 a\r\n"), C("AUTH LOGIN\r\n" + text + "c2V"), S("500 no\r\n"),
                         C("jcmV0\r\nQUIT\r\n"), S("221 bye\r\n")};
  CHECK(find_fault(script, Conversation::Start::kBeginning, 0, 4) == "");
  CHECK(run(script, Conversation::Start::kBeginning, [] { return 5000; }).items ==
        std::vector<std::string>{"S 220 greeting", "C #1 `AUTH LOGIN`", "S 500 to #1 AUTH",
                                 "C junk (too much to hold) `` secret=300003",
                                 "C junk (skipped after a gap) `` secret=5", "C #2 `QUIT`",
                                 "S 221 to #2 QUIT"});
}

TEST_CASE("octets left out of a message: its facts go on behind them") {
  const std::string head = "abc\r\n", left = repeat("def\r\n", 100), tail = "ghi\r\n.\r\n";
  const auto octets = [](const std::string& text) {
    return std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  };
  const auto drain = [](Conversation& conversation) {
    std::vector<std::string> items;
    while (const Item* item = conversation.next()) items.push_back(describe(*item));
    return items;
  };
  Conversation conversation;
  for (const Step& step : {S("220 a\r\n"), C("DATA\r\n"), S("354 go\r\n"), C(head)}) {
    conversation.receive(step.side, octets(step.octets));
    drain(conversation);
  }
  REQUIRE(conversation.phase() == Conversation::Phase::kMailData);
  REQUIRE(conversation.scanner() != nullptr);
  MessageScanner scanner = *conversation.scanner();
  scanner.scan(octets(left));

  SECTION("the end is kept") {
    conversation.left_out(Side::kClient, left.size(), scanner);
    CHECK(drain(conversation).empty());
    conversation.receive(Side::kClient, octets(tail));
    CHECK(drain(conversation) == std::vector<std::string>{"C #2 data 510 octets, strict"});
  }
  SECTION("the end is left out as well") {
    scanner.scan(octets(tail));
    conversation.left_out(Side::kClient, left.size() + tail.size(), scanner);
    CHECK(drain(conversation) == std::vector<std::string>{"C #2 data 510 octets, strict"});
    CHECK(conversation.phase() == Conversation::Phase::kCommands);
  }
  CHECK(conversation.received(Side::kClient) == 6 + head.size() + left.size() + tail.size());
  CHECK(conversation.itemised(Side::kClient) == conversation.received(Side::kClient));
}

TEST_CASE("octets left out where no message is read are a gap") {
  Conversation conversation;
  conversation.left_out(Side::kClient, 10, MessageScanner());
  CHECK(conversation.next() == nullptr);
  CHECK(conversation.received(Side::kClient) == 10);
  CHECK(conversation.itemised(Side::kClient) == 10);
}

TEST_CASE("what a sanitizer asks: phase, owed, fate, what may be left out") {
  using Phase = Conversation::Phase;
  Conversation conversation;
  const auto feed = [&](const Step& step) {
    conversation.receive(
        step.side, {reinterpret_cast<const std::uint8_t*>(step.octets.data()), step.octets.size()});
    while (conversation.next() != nullptr) {
    }
  };
  CHECK(conversation.owed() == 1);
  feed(S("220 a\r\n"));
  CHECK(conversation.owed() == 0);
  CHECK(conversation.phase() == Phase::kCommands);
  feed(C("EHLO x\r\n"));
  feed(S("250-a\r\n250-CHUNKING\r\n250 AUTH LOGIN\r\n"));
  CHECK(conversation.capabilities().has("CHUNKING"));
  feed(C("AUTH LOGIN\r\n"));
  CHECK(conversation.phase() == Phase::kUndecided);
  CHECK_FALSE(conversation.secret_pending());
  feed(C("d"));
  CHECK(conversation.secret_pending());
  feed(S("334 x\r\n"));
  CHECK(conversation.phase() == Phase::kAuthResponse);
  CHECK(conversation.secret_pending());
  feed(C("XN\r\n"));
  CHECK_FALSE(conversation.secret_pending());
  feed(S("235 ok\r\n"));
  feed(C("NOOP au"));
  CHECK_FALSE(conversation.secret_pending());
  feed(C("th\r\nau"));
  CHECK(conversation.secret_pending());
  feed(C("x\r\n"));
  CHECK_FALSE(conversation.secret_pending());
  feed(S("250 a\r\n500 b\r\n"));

  feed(C("BDAT 4\r\nab"));
  CHECK(conversation.phase() == Phase::kChunk);
  REQUIRE(conversation.scanner() != nullptr);
  CHECK(conversation.scanner()->wire_octets() == 2);
  CHECK_FALSE(conversation.fate_open());
  feed(C("cdBDAT 2 LAST\r\nx"));
  CHECK_FALSE(conversation.fate_open());
  feed(C("y"));
  CHECK(conversation.fate_open());
  CHECK(conversation.owed() == 2);
  feed(S("250 1\r\n"));
  CHECK(conversation.fate_open());
  feed(S("250 2\r\n"));
  CHECK_FALSE(conversation.fate_open());

  feed(C("DATA\r\n"));
  feed(S("354 go\r\n"));
  CHECK(conversation.may_leave_out());
  feed(C("x\n.\ny"));
  CHECK_FALSE(conversation.may_leave_out());
  feed(C(std::string(20'000, 'y')));
  CHECK(conversation.may_leave_out());
  feed(C("\r\n.\r\n"));
  CHECK(conversation.fate_open());
  feed(S("250 ok\r\n"));
  CHECK_FALSE(conversation.fate_open());
}
