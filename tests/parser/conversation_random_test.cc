// Random dialogues made of the pieces that change a conversation's state, in any order: sense and
// nonsense alike must tile the streams, keep secrets, and not depend on splits.

#include <algorithm>
#include <random>
#include <string_view>

#include "tests/catch.h"
#include "tests/parser/dialogue.h"

using namespace smtpscope;
using namespace smtpscope::test;

namespace {

using namespace std::string_view_literals;

constexpr std::string_view kFromClient[] = {
    "EHLO x\r\n"sv,
    "LHLO x\r\n"sv,
    "HELO x\r\n"sv,
    "MAIL FROM:<a@b>\r\n"sv,
    "MAIL FROM:<a@b> PRDR\r\n"sv,
    "RCPT TO:<c@d>\r\n"sv,
    "RCPT TO:<e@f>\r\n"sv,
    "DATA\r\n"sv,
    "DATA\n"sv,
    "x\r\n"sv,
    ".\r\n"sv,
    "\r\n.\r\n"sv,
    "\n.\n"sv,
    "\r.\r"sv,
    "\r\r\n.\r\r\n"sv,
    "\r\n.\r"sv,
    "\r"sv,
    "\n"sv,
    "."sv,
    "\0"sv,
    "RSET\r\n"sv,
    "RSET\n"sv,
    "NOOP\n"sv,
    "QUIT\r\n"sv,
    "AUTH LOGIN\r\n"sv,
    "AUTH PLAIN dGVzdA==\r\n"sv,
    "auth PLAIN =\r\n"sv,
    "AUTH"sv,
    " "sv,
    "X-EXPS GSSAPI abcdef\r\n"sv,
    "AUTH=PLAIN secret\r\n"sv,
    "AUTH dGVzdA== x\r\n"sv,
    "*\r\n"sv,
    "dXNlcg==\r\n"sv,
    "c2VjcmV0"sv,
    "pass word\r\n"sv,
    "STARTTLS\r\n"sv,
    "\x16\x03\x01\x00\x02\x01\x00"sv,
    "\x14\x03\x03\x00\x01\x01"sv,
    "\x17\x03\x03\x00\x05zzzzz"sv,
    "\x16"sv,
    "\x15\x03\x03\x00\x02\x02\x28"sv,
    "BDAT 5\r\n"sv,
    "BDAT 0 LAST\r\n"sv,
    "BDAT 3 LAST\r\nabc"sv,
    "BDAT -1\r\n"sv,
    "BDAT 18446744073709551616\r\n"sv,
    "12345"sv,
    "XCLIENT NAME=x\r\n"sv,
    "XEXCH50 4 2\r\n"sv,
    "ATRN x\r\n"sv,
    "TURN\r\n"sv,
    "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n"sv,
    "PROXY UNKNOWN\r\n"sv,
    "\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x03xyz"sv,
    "\r\n\r\n\0"sv,
    "\x80\xff"sv,
    "garbage\r\n"sv,
};

constexpr std::string_view kFromServer[] = {
    "220 a\r\n"sv,
    "220-a\r\n"sv,
    "250 ok\r\n"sv,
    "250-ok\r\n"sv,
    "250 ok\n"sv,
    "250\r\n"sv,
    "250-a\r\n250-CHUNKING\r\n250 PRDR\r\n"sv,
    "250-a\r\n250 PIPELINING\r\n"sv,
    "354 go\r\n"sv,
    "334 \r\n"sv,
    "334 abc\r\n"sv,
    "235 ok\r\n"sv,
    "353 prdr\r\n"sv,
    "550 no\r\n"sv,
    "503 no\r\n"sv,
    "454 no\r\n"sv,
    "421 bye\r\n"sv,
    "521 bye\r\n"sv,
    "221 bye\r\n"sv,
    "hello\r\n"sv,
    "2"sv,
    "25"sv,
    "-"sv,
    " x\r\n"sv,
    "\n"sv,
    "\x16\x03\x03\x00\x02\x02\x00"sv,
    "\x17\x03\x03\x00\x01z"sv,
    "250-a\r\n550 b\r\n"sv,
    "2500 x\r\n"sv,
};

template <std::size_t kSize>
std::string pick(const std::string_view (&pieces)[kSize], std::mt19937& random) {
  return std::string(pieces[random() % kSize]);
}

/// A session that makes sense up to a point: most random ones would never get past the greeting.
void begin_well(Script& script, std::mt19937& random) {
  const std::size_t how = random() % 8;
  if (how == 0) return;
  script.push_back(S("220 a\r\n"));
  if (how == 1) return;
  script.push_back(C(how == 2 ? "LHLO x\r\n" : "EHLO x\r\n"));
  script.push_back(S(pick(
      {"250-a\r\n250-CHUNKING\r\n250 PRDR\r\n"sv, "250 ok\r\n"sv, "250-a\r\n250 PIPELINING\r\n"sv},
      random)));
  if (how < 5) return;
  script.push_back(C("MAIL FROM:<a@b> PRDR\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\n"));
  script.push_back(S("250 ok\r\n250 ok\r\n250 ok\r\n"));
  if (how < 6) return;
  script.push_back(C("DATA\r\n"));
  script.push_back(S("354 go\r\n"));
}

Script random_script(std::mt19937& random, bool with_gaps) {
  Script script;
  begin_well(script, random);
  const std::size_t length = 1 + random() % 14;
  for (std::size_t i = 0; i < length; ++i) {
    const std::size_t what = random() % 24;
    const Side side = random() % 2 == 0 ? Side::kClient : Side::kServer;
    if (with_gaps && what == 0) {
      script.push_back(gap(side, random() % 3 == 0 ? 0 : random() % 12));
    } else if (with_gaps && what == 1 && i + 3 > length) {
      script.push_back(eof(side));
    } else if (what < 14) {
      std::string octets = pick(kFromClient, random);
      while (random() % 3 == 0) octets += pick(kFromClient, random);
      script.push_back(C(std::move(octets)));
    } else {
      std::string octets = pick(kFromServer, random);
      while (random() % 4 == 0) octets += pick(kFromServer, random);
      script.push_back(S(std::move(octets)));
    }
  }
  return script;
}

void check_random_scripts(std::uint32_t first, std::uint32_t count, bool with_gaps,
                          Conversation::Start start) {
  for (std::uint32_t seed = first; seed < first + count; ++seed) {
    std::mt19937 random(seed);
    const Script script = random_script(random, with_gaps);
    const std::string fault = find_fault(script, start, 4, 3);
    if (fault.empty()) continue;
    INFO("seed " << seed << "\n" << to_text(script));
    FAIL(fault);
  }
  SUCCEED();
}

}  // namespace

TEST_CASE("random dialogues are sound and do not depend on splits") {
  check_random_scripts(0, 3000, false, Conversation::Start::kBeginning);
}

TEST_CASE("random dialogues with gaps are sound and do not depend on splits") {
  check_random_scripts(0, 3000, true, Conversation::Start::kBeginning);
}

TEST_CASE("random dialogues seen from the middle are sound and do not depend on splits") {
  check_random_scripts(0, 2000, true, Conversation::Start::kMidSession);
}
