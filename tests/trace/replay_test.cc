// What is told of sessions that the trace ends before.

#include "trace/replay.h"

#include <chrono>
#include <string>
#include <vector>

#include "base/octets.h"
#include "tests/catch.h"

namespace smtpscope {
namespace {

using namespace std::chrono_literals;

/// The last word on each session.
class Ends : public TimelineSink {
 public:
  void on_timeline(const TimelineEvent& event) override {
    if (const auto* transaction = std::get_if<TransactionEnded>(&event.body)) {
      outcomes.push_back(transaction->transaction->outcome);
    }
    if (std::holds_alternative<Annotation>(event.body)) ++annotations;
    const auto* ended = std::get_if<TimelineSessionEnded>(&event.body);
    if (ended == nullptr) return;
    ++ends;
    unfinished = ended->unfinished;
    for (const VerdictLine& line : ended->verdict) verdict.push_back(line.text);
  }
  int ends = 0;
  int annotations = 0;
  bool unfinished = false;
  std::vector<Outcome> outcomes;
  std::vector<std::string> verdict;
};

class Trace {
 public:
  Trace() {
    event(SessionOpened{.client = "192.0.2.10:50114", .listener = "", .upstream = "mx:25"});
    event(UpstreamConnected{.server = "192.0.2.25:25"});
  }
  void say(Side from, std::string_view text) {
    Bytes bytes;
    bytes.from = from;
    bytes.head = octets_of(text);
    event(bytes);
  }
  void server(std::string_view line) { say(Side::kServer, std::string(line) + "\r\n"); }
  void client(std::string_view line) { say(Side::kClient, std::string(line) + "\r\n"); }
  void event(decltype(WireEvent::body) body, Duration wait = 1ms) {
    now_ += wait;
    replay.on_wire({1, now_, std::move(body)});
  }
  /// Something else happens in the run, so much later, and it is its last.
  void ends_after(Duration wait) {
    Gap gap;
    gap.events = 1;
    replay.on_wire({kWholeRun, now_ + wait, gap});
    replay.finish();
  }
  /// Up to where the client may send the message.
  void up_to_data() {
    server("220 mx");
    client("EHLO c");
    server("250 mx");
    client("MAIL FROM:<a@example.com>");
    server("250 ok");
    client("RCPT TO:<b@example.net>");
    server("250 ok");
    client("DATA");
    server("354 go");
  }

  Ends ends;
  const RuleSet rules;
  Replay replay{{}, rules, ends};

 private:
  Time now_;
};

TEST_CASE("a session that the server has not greeted yet") {
  Trace trace;
  trace.ends_after(7s);
  REQUIRE(trace.ends.ends == 1);
  CHECK(trace.ends.unfinished);
  CHECK(trace.ends.verdict.front() ==
        "no message yet: the trace ends before the session does; the server owes the greeting, "
        "7.000 s silent");
  // A server that has not greeted yet may be slow; that it never does is not known.
  CHECK(trace.ends.annotations == 0);
}

TEST_CASE("a message that has come in part") {
  Trace trace;
  trace.up_to_data();
  trace.say(Side::kClient, "Subject: x\r\n\r\nhello");
  trace.ends_after(2s);
  CHECK(trace.ends.outcomes == std::vector<Outcome>{Outcome::kOpen});
  CHECK(trace.ends.verdict.front() ==
        "message 1 still under way; the trace ends before the session does; the client owes mail "
        "data, 2.000 s silent; 19 octets of the message have come");
}

TEST_CASE("a message whose fate is open") {
  Trace trace;
  trace.up_to_data();
  trace.say(Side::kClient, "Subject: x\r\n\r\nhello\r\n.\r\n");
  trace.ends_after(65s);
  CHECK(trace.ends.outcomes == std::vector<Outcome>{Outcome::kOpen});
  CHECK(trace.ends.verdict.front() ==
        "message 1 still under way; the trace ends before the session does; the server owes the "
        "reply to the end of data, 65.000 s silent; 21 octets of the message were sent, to its "
        "end");
}

TEST_CASE("what was refused before the trace ends leads") {
  Trace trace;
  trace.server("220 mx");
  trace.client("EHLO c");
  trace.server("250-mx");
  trace.server("250 AUTH PLAIN");
  trace.client("AUTH PLAIN AGEAYg==");
  trace.server("535 5.7.8 Error: authentication failed");
  trace.ends_after(1ms);
  REQUIRE(trace.ends.verdict.size() > 1);
  CHECK(trace.ends.verdict[0].find("no message yet: ") == 0);
  CHECK(trace.ends.verdict[0].find("login") != std::string::npos);
  CHECK(trace.ends.verdict[1] ==
        "so far: the trace ends before the session does; the client owes a command");
}

TEST_CASE("a session that has ended is not told again") {
  Trace trace;
  trace.server("220 mx");
  trace.event(SessionEnded{});
  trace.replay.finish();
  CHECK(trace.ends.ends == 1);
  CHECK_FALSE(trace.ends.unfinished);
}

}  // namespace
}  // namespace smtpscope
