#include "trace/run_recorder.h"

#include "tests/catch.h"
#include "tests/diff/recorded.h"
#include "timeline/rule.h"

namespace smtpscope {
namespace {

using test::recorded;

std::string_view reply_text(const RunRecord& run, const SessionRecord& session,
                            const ExchangeRecord& exchange, std::size_t i = 0) {
  REQUIRE(i < exchange.reply_count);
  return run.replies.text(session.replies[exchange.first_reply + i].text);
}

constexpr std::string_view kOneMessage = R"(
S: 220 mx.example ESMTP
C: EHLO ws1
S> raw "250-mx.example\r\n250 SIZE 1000\r\n"
C: MAIL FROM:<a@example.com> SIZE=30
S: 250 2.1.0 ok
C: RCPT TO:<b@example.net>
S: 250 2.1.5 ok
C: RCPT TO:<c@example.net>
S: 550 5.1.1 no
C: DATA
S: 354 go
C> raw "Subject: x\r\n\r\n..dot\r\n.\r\n"
@ +2s
S: 250 queued
C: QUIT
S: 221 bye
)";

TEST_CASE("a run's record holds every exchange, in order") {
  const RunRecord run = recorded(kOneMessage);
  REQUIRE(run.sessions.size() == 1);
  const SessionRecord& session = run.sessions.front();
  CHECK(session.ended);
  std::vector<std::string_view> texts;
  for (const ExchangeRecord& each : session.exchanges)
    texts.push_back(run.commands.text(each.text));
  CHECK(texts == std::vector<std::string_view>{"", "EHLO ws1", "MAIL FROM:<a@example.com> SIZE=30",
                                               "RCPT TO:<b@example.net>", "RCPT TO:<c@example.net>",
                                               "DATA", "", "QUIT"});
  CHECK(session.exchanges[0].kind == ExchangeKind::kGreeting);
  CHECK(reply_text(run, session, session.exchanges[0]) == "220 mx.example ESMTP");
  CHECK(reply_text(run, session, session.exchanges[1]) == "250-mx.example\n250 SIZE 1000");
  CHECK(session.exchanges[6].kind == ExchangeKind::kMailData);
  CHECK(session.exchanges[6].octets == 24);
  CHECK(reply_text(run, session, session.exchanges[6]) == "250 queued");
  CHECK(session.exchanges[6].think == std::chrono::seconds(2));
  CHECK(session.exchanges[7].pause == std::chrono::milliseconds(1));
}

TEST_CASE("a run's record holds the transactions, their envelopes and content") {
  const RunRecord run = recorded(kOneMessage);
  const SessionRecord& session = run.sessions.front();
  REQUIRE(session.transactions.size() == 1);
  const TransactionRecord& transaction = session.transactions.front();
  CHECK(transaction.reverse_path == "a@example.com");
  CHECK(transaction.recipients == std::vector<std::string>{"b@example.net", "c@example.net"});
  CHECK(transaction.outcome == Outcome::kPartial);
  CHECK(transaction.first == 2);
  CHECK(transaction.last == 6);
  CHECK(transaction.content.octets == "Subject: x\r\n\r\n..dot\r\n");
  CHECK(transaction.content.whole);
  CHECK(transaction.facts.octets == 20);
}

TEST_CASE("the chunks of a message are one content") {
  const RunRecord run = recorded(R"(
S: 220 mx
C: EHLO ws1
S> raw "250-mx\r\n250 CHUNKING\r\n"
C: MAIL FROM:<>
S: 250 ok
C: RCPT TO:<b@example.net>
S: 250 ok
C> raw "BDAT 4\r\nabc\r"
S: 250 ok
C> raw "BDAT 6 LAST\r\n\n"
C> raw "efg\r\n"
S: 250 queued
C: QUIT
S: 221 bye
)");
  const SessionRecord& session = run.sessions.front();
  REQUIRE(session.exchanges.size() == 7);
  CHECK(run.commands.text(session.exchanges[4].text) == "BDAT 4");
  CHECK(session.exchanges[4].octets == 12);
  CHECK(reply_text(run, session, session.exchanges[5]) == "250 queued");
  CHECK(session.transactions.front().content.octets == "abc\r\nefg\r\n");
  CHECK(session.transactions.front().reverse_path.empty());
}

TEST_CASE("of LMTP the replies for each recipient stay with the message") {
  const RunRecord run = recorded(R"(
S: 220 mx LMTP
C: LHLO ws1
S: 250 mx
pipelined: MAIL FROM:<a@example.com> | RCPT TO:<b@example.net> | RCPT TO:<c@example.net> | DATA
S> raw "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"
C> raw ".\r\n"
S> raw "250 for b\r\n452 not for c\r\n"
C: QUIT
S: 221 bye
)");
  const SessionRecord& session = run.sessions.front();
  const ExchangeRecord& data = session.exchanges[6];
  CHECK(data.kind == ExchangeKind::kMailData);
  REQUIRE(data.reply_count == 2);
  CHECK(reply_text(run, session, data, 1) == "452 not for c");
  CHECK(session.transactions.front().outcome == Outcome::kPartial);
  CHECK(session.transactions.front().content.octets.empty());
  CHECK(session.transactions.front().content.whole);
}

TEST_CASE("what answers nothing, odd octets and holes are in the record too") {
  const RunRecord run = recorded(R"(
S: 220 mx
S: hello there
gap client 10
close client reset
S: 421 going down
close server fin
)");
  const SessionRecord& session = run.sessions.front();
  CHECK(session.holes == 1);
  REQUIRE(session.exchanges.size() >= 3);
  CHECK(session.exchanges[1].kind == ExchangeKind::kUnasked);
  CHECK(reply_text(run, session, session.exchanges[1]) == "hello there");
  CHECK(session.closes.size() == 2);
  CHECK(session.closes[0].kind == CloseKind::kReset);
  CHECK_FALSE(session.annotations.empty());
}

TEST_CASE("of a long message the beginning is kept") {
  std::string text =
      "S: 220 mx\nC: HELO a\nS: 250 mx\nC: MAIL FROM:<a@b.example>\nS: 250 ok\n"
      "C: RCPT TO:<c@d.example>\nS: 250 ok\nC: DATA\nS: 354 go\n";
  for (int i = 0; i < 5; ++i) text += "C> raw \"0123456789abcde\\n\" * 2000\n";
  text +=
      "C> raw \"\\r\\n.\\r\\n\"\nS: 250 ok\nC: MAIL FROM:<a@b.example>\nS: 250 ok\n"
      "C: RCPT TO:<c@d.example>\nS: 250 ok\nC: DATA\nS: 354 go\nC> raw \"ab\\r\\n.\\r\\n\"\n"
      "S: 250 ok\n";
  const RunRecord run = recorded(text);
  const SessionRecord& session = run.sessions.front();
  REQUIRE(session.transactions.size() == 2);
  CHECK(session.transactions[0].content.octets.size() == RunRecorder::kKeptOfMessage);
  CHECK_FALSE(session.transactions[0].content.whole);
  CHECK(session.transactions[0].facts.octets == 160002);
  CHECK(session.transactions[1].content.octets == "ab\r\n");
  CHECK(session.transactions[1].content.whole);
}

}  // namespace
}  // namespace smtpscope
