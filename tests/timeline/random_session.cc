#include "tests/timeline/random_session.h"

#include <array>
#include <chrono>

namespace smtpscope::test {
namespace {

using namespace std::string_literals;

const std::vector<std::string> kClient = {
    "EHLO x\r\n",
    "HELO x\r\n",
    "LHLO x\r\n",
    "MAIL FROM:<>\r\n",
    "MAIL FROM:<a@b.example>\r\n",
    "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n",
    "RCPT TO:<c@d.example>\r\n",
    "RCPT TO:<e@d.example>\r\n",
    "DATA\r\n",
    "RSET\r\n",
    "RSET\r\nRSET\r\n",
    "NOOP\r\n",
    "BDAT 3\r\nabc",
    "BDAT 3 LAST\r\nabc",
    "BURL imap://x LAST\r\n",
    "AUTH PLAIN AAAA\r\n",
    "AUTH LOGIN\r\n",
    "dXNlcg==\r\n",
    "XCLIENT ADDR=x\r\n",
    "XEXCH50 2 2\r\n",
    "Subject: x\r\n\r\nbody\r\n.\r\n",
    "text\r\n",
    ".\r\n",
    "x\n.\r\ny\r\n.\r\n",
    "MAIL",
    " FROM:<",
    "\r\n",
    "VRFY x\r\n",
    "garbage \xff\r\n",
    "MAIL FROM:<a@b.example> SIZE=9 BODY=8BITMIME\r\n",
    "MAIL FROM: a@b.example RET=FULL X=y\r\n",
    "RCPT TO:<c@d.example>\nRCPT TO:<c@d.example>\n",
    "RSET\r\r\n",
    "DATA x\r\n",
    "Subject: \xe4\r\nX-Antivirus: yes\r\nMessage-ID: <1@x>\r\n\r\n.x\r\n\r\n.\r\n",
    "a\rb\nc\0d\r\n.\r\n"s,
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "ETRN x\r\n",
    "*\r\n"};
/// What ends the session, or its plaintext, or turns it around.
const std::vector<std::string> kClientEnds = {"QUIT\r\n", "STARTTLS\r\n", "TURN\r\n",
                                              "\x16\x03\x01\x01"};
const std::vector<std::string> kServer = {
    "250 ok\r\n",
    "250 ok\r\n",
    "250 ok\r\n250 ok\r\n",
    "250-a\r\n250-CHUNKING\r\n250 PIPELINING\r\n",
    "354 go\r\n",
    "354 go\r\n",
    "235 ok\r\n",
    "334 \r\n",
    "353 prdr\r\n",
    "450 later\r\n",
    "503 no\r\n",
    "550 no\r\n",
    "554 no\r\n",
    "hello\r\n",
    "250-part",
    "25",
    "250 \xc3\xa4\r\n",
    "250-8BITMIME\r\n250-SIZE 5\r\n250-ENHANCEDSTATUSCODES\r\n250-LIMITS RCPTMAX=1\r\n250 AUTH "
    "PLAIN LOGIN\r\n",
    "250-XXXXXXXA\r\n250 STARTTLS\r\n",
    "250 5.1.1 odd\r\n",
    "550-5.1.1 a\r\n551 b\r\n",
    "451 greylisted, try again later\r\n",
    "530 5.7.0 Authentication required\r\n",
    "535 5.7.8 no\r\n",
    "250 ok\n",
    "199 x\r\n"};
const std::vector<std::string> kServerEnds = {"220 go\r\n", "221 bye\r\n", "421 timeout\r\n",
                                              "521 no\r\n"};

}  // namespace

void RandomSession::run(WireSink& sink, int steps) {
  begin(sink);
  for (int i = 0; i < steps; ++i) step();
  end();
}

void RandomSession::begin(WireSink& sink) {
  sink_ = &sink;
  SessionOpened opened;
  opened.client = chance(3) ? "127.0.0.1:4000" : "192.0.2.1:4000";
  feed(opened);
  if (chance(20)) pause();
  UpstreamConnected connected;
  if (chance(3)) connected.rtt = std::chrono::milliseconds(20);
  feed(connected);
  if (endless_ || chance(10)) say(Side::kServer, "220 mx\r\n");
}

void RandomSession::end() {
  if (chance(2)) feed(Closed{.from = pick_side(), .kind = pick_kind(), .reason = {}});
  if (chance(2)) feed(Closed{.from = pick_side(), .kind = pick_kind(), .reason = {}});
  feed(SessionEnded{});
}

CloseKind RandomSession::pick_kind() {
  return pick<CloseKind>({CloseKind::kFin, CloseKind::kReset, CloseKind::kTimeout});
}

void RandomSession::pause() {
  now_ += std::chrono::milliseconds(
      pick<int>({0, 1, 1, 5, 43, 950, 1000, 1001, 2000, 5000, 10001, 61000, 300000}));
}

void RandomSession::step() {
  const auto what = random_() % 100;
  if (chance(3)) pause();
  if (what < 48)
    return say(Side::kClient, !endless_ && chance(8) ? pick(kClientEnds) : pick(kClient));
  if (what < 92)
    return say(Side::kServer, !endless_ && chance(5) ? pick(kServerEnds) : pick(kServer));
  if (what < 93) return feed(Gap{.from = pick_side(), .octets = random_() % 50, .why = "test"});
  if (what < 94) return feed(Gap{.from = {}, .octets = 0, .why = "test"});
  if (what < 96) return feed(Blocked{.to = pick_side(), .since = now_, .octets = 9});
  if (what < 97) return feed(ProxyStalled{.since = now_});
  if (what < 98) {
    return feed(TcpReport{.with = pick_side(),
                          .figures = {.unconfirmed = random_() % 2 * 40,
                                      .sent_again = static_cast<std::uint32_t>(random_() % 4)}});
  }
  if (!endless_ && chance(4)) {
    feed(Closed{.from = pick_side(), .kind = pick_kind(), .reason = {}});
  }
}

void RandomSession::say(Side side, const std::string& text) {
  Bytes bytes;
  bytes.from = side;
  bytes.head = {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
  feed(bytes);
}

template <typename Body>
void RandomSession::feed(Body body) {
  now_ += std::chrono::microseconds(random_() % 2000);
  sink_->on_wire({.session = 1, .time = now_, .body = body});
}

}  // namespace smtpscope::test
