// A live run's events go through a queue to a thread; nothing is lost or in another order for
// it, and what finds no room is counted.

#include "trace/live_trace.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/octets.h"
#include "tests/catch.h"
#include "tests/trace/traced.h"

using namespace smtpscope;
using test::Gate;
using test::Told;

namespace {

class Run {
 public:
  explicit Run(std::size_t queue_limit = TraceQueue::kLimit, RuleSet which = {},
               std::vector<Duration> alarm = {})
      : rules(std::move(which)),
        trace(SanitizerPolicy{}, rules, nullptr, &told, nullptr, sayings, queue_limit,
              std::move(alarm)) {
    trace.set_wake([this] {
      const std::lock_guard lock(mutex_);
      woken_ = true;
      changed_.notify_one();
    });
  }

  std::unique_ptr<SessionObserver> open(SessionId id) {
    auto tap = trace.open(id);
    tap->feed(
        {id, at(), SessionOpened{.client = "192.0.2.10:50114", .listener = "", .upstream = ""}});
    tap->feed({id, at(), UpstreamConnected{.server = "192.0.2.25:25"}});
    return tap;
  }
  void say(SessionObserver& tap, SessionId id, Side from, std::string text) {
    Bytes bytes;
    bytes.from = from;
    bytes.head = octets_of(text);
    tap.feed({id, at(), bytes});
    text.assign(text.size(), '?');  // a read buffer is used again at once
  }
  void end(std::unique_ptr<SessionObserver> tap, SessionId id) {
    tap->feed({id, at(), SessionEnded{}});
  }
  /// The tracer has asked to be attended to; does so.
  void attend() {
    {
      std::unique_lock lock(mutex_);
      REQUIRE(changed_.wait_for(lock, std::chrono::seconds(240), [this] { return woken_; }));
      woken_ = false;
    }
    trace.attend();
  }

  Told told;
  test::Sayings sayings;
  RuleSet rules;
  LiveTrace trace;

 private:
  Time at() { return now_ += Duration(1000); }
  Time now_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
};

class Asker : public FateListener {
 public:
  void on_fate_settled() override { ++settled; }
  int settled = 0;
};

/// Up to the point at which a message can be sent.
void begin_mail(Run& run, SessionObserver& tap, SessionId id) {
  run.say(tap, id, Side::kServer, "220 one\r\n");
  run.say(tap, id, Side::kClient, "HELO a\r\n");
  run.say(tap, id, Side::kServer, "250 one\r\n");
  run.say(tap, id, Side::kClient, "MAIL FROM:<a@a.example>\r\n");
  run.say(tap, id, Side::kServer, "250 ok\r\n");
  run.say(tap, id, Side::kClient, "RCPT TO:<b@b.example>\r\n");
  run.say(tap, id, Side::kServer, "250 ok\r\n");
  run.say(tap, id, Side::kClient, "DATA\r\n");
  run.say(tap, id, Side::kServer, "354 go\r\n");
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("sessions are told in the order of their events, those that are over included") {
  Run run;
  auto one = run.open(1);
  auto two = run.open(2);
  run.say(*one, 1, Side::kServer, "220 one\r\n");
  run.say(*two, 2, Side::kServer, "220 second\r\n");
  run.say(*one, 1, Side::kClient, "QUIT\r\n");
  run.end(std::move(one), 1);
  run.say(*two, 2, Side::kClient, "NOOP\r\n");
  run.end(std::move(two), 2);
  run.trace.finish();
  CHECK(run.told.words ==
        Words{"1 opened", "2 opened", "1 9", "2 12", "1 6", "1 ended", "2 6", "2 ended"});
  CHECK(run.trace.summary().sessions() == 2);
  CHECK(run.trace.summary().open() == 0);
  CHECK(run.trace.totals().lost_events == 0);
  CHECK(run.sayings.said.empty());
}

TEST_CASE("what has gathered is told at a flush") {
  Gate gate;
  Run run;
  run.told.then = [&](const std::string& word) {
    if (word == "1 9") gate.pass();
  };
  auto one = run.open(1);
  run.say(*one, 1, Side::kServer, "220 one\r\n");
  CHECK_FALSE(gate.somebody_waits());
  run.trace.flush();
  CHECK(gate.wait_for_somebody());
  gate.open();
  run.end(std::move(one), 1);
}

TEST_CASE("a long read does not overtake the short ones before it") {
  Run run;
  auto one = run.open(1);
  run.say(*one, 1, Side::kServer, "220 one\r\n");
  run.say(*one, 1, Side::kClient, "EHLO a.example\r\n");
  run.say(*one, 1, Side::kServer, "250-" + std::string(200'000, 'x') + "\r\n250 SIZE\r\n");
  run.say(*one, 1, Side::kClient, "QUIT\r\n");
  run.end(std::move(one), 1);
  run.trace.finish();
  CHECK(run.told.words == Words{"1 opened", "1 9", "1 16", "1 200016", "1 6", "1 ended"});
}

TEST_CASE("more events than a block takes") {
  Run run;
  auto one = run.open(1);
  run.say(*one, 1, Side::kServer, "220 one\r\n");
  for (int i = 0; i < 5000; ++i) {
    run.say(*one, 1, Side::kClient, "NOOP\r\n");
    run.say(*one, 1, Side::kServer, "250 2.0.0 Ok\r\n");
  }
  run.end(std::move(one), 1);
  run.trace.finish();
  CHECK(run.told.words.size() == 10003);
  CHECK(run.trace.summary().open() == 0);
}

TEST_CASE("whether a message's fate is open is told once it is not") {
  Run run;
  auto one = run.open(1);
  begin_mail(run, *one, 1);
  Asker asker;
  SECTION("at once when nothing was sent whole") {
    one->ask_fate(asker);
    CHECK(asker.settled == 0);
    run.attend();
  }
  SECTION("when the message has its reply") {
    run.say(*one, 1, Side::kClient, "Subject: x\r\n\r\nx\r\n.\r\n");
    one->ask_fate(asker);
    run.say(*one, 1, Side::kServer, "250-queu");
    run.trace.flush();
    run.trace.attend();
    CHECK(asker.settled == 0);
    run.say(*one, 1, Side::kServer, "ed\r\n250 ok\r\n");
    run.trace.flush();
    run.attend();
  }
  CHECK(asker.settled == 1);
  run.trace.attend();
  CHECK(asker.settled == 1);
  run.end(std::move(one), 1);
}

TEST_CASE("nobody is told who has gone") {
  Run run;
  auto one = run.open(1);
  Asker asker;
  one->ask_fate(asker);
  run.end(std::move(one), 1);
  run.attend();
  CHECK(asker.settled == 0);
}

TEST_CASE("while the tracer hangs the relay's side goes on, and what finds no room is counted") {
  Gate gate;
  Run run(8 * TraceQueue::kBlock);
  run.told.then = [&](const std::string& word) {
    if (word == "1 9") gate.pass();
  };
  auto one = run.open(1);
  auto two = run.open(2);
  run.say(*one, 1, Side::kServer, "220 one\r\n");
  run.trace.flush();
  REQUIRE(gate.wait_for_somebody());

  // All of this returns at once, whatever the tracer does.
  constexpr int kReads = 2000;
  const std::string line = "NOOP " + std::string(993, 'x') + "\r\n";
  for (int i = 0; i < kReads; ++i) run.say(*one, 1, Side::kClient, line);
  run.say(*two, 2, Side::kServer, "220 second\r\n");
  auto three = run.open(3);
  run.say(*three, 3, Side::kServer, "220 third\r\n");
  Asker asker;
  two->ask_fate(asker);
  run.end(std::move(three), 3);
  REQUIRE(run.sayings.said.size() == 1);
  CHECK(run.sayings.said[0].starts_with("tracing could not keep up: "));

  gate.open();
  run.trace.flush();
  while (asker.settled == 0) run.attend();
  run.say(*one, 1, Side::kClient, "QUIT\r\n");
  run.end(std::move(one), 1);
  run.end(std::move(two), 2);
  run.trace.finish();

  std::size_t told = 0;
  std::size_t lost = 0;
  for (const std::string& word : run.told.words) {
    if (word == "1 1000") ++told;
    if (word.starts_with("1 gap of ")) {
      lost += static_cast<std::size_t>(std::stoul(word.substr(9)));
      CHECK(word.ends_with(": tracing could not keep up"));
    }
  }
  CHECK(told > 300);
  CHECK(lost == (kReads - told) * 1000);
  CHECK(run.trace.totals().lost_octets >= lost);
  for (const char* word :
       {"2 gap of 12: tracing could not keep up", "3 opened",
        "3 gap of 11: tracing could not keep up", "3 ended", "1 6", "1 ended", "2 ended"}) {
    CAPTURE(word);
    CHECK(std::count(run.told.words.begin(), run.told.words.end(), word) == 1);
  }
  CHECK(run.trace.summary().open() == 0);
}

TEST_CASE("a tracer that does not come to an end is not waited for longer than patience") {
  Gate gate;
  Run run;
  run.told.then = [&](const std::string& word) {
    if (word == "1 9") gate.pass();
  };
  auto one = run.open(1);
  auto two = run.open(2);
  run.say(*one, 1, Side::kServer, "220 one\r\n");
  run.trace.flush();
  REQUIRE(gate.wait_for_somebody());
  run.say(*one, 1, Side::kClient, "NOOP\r\n");
  run.end(std::move(one), 1);
  run.say(*two, 2, Side::kServer, "220 second\r\n");
  run.end(std::move(two), 2);
  run.sayings.then = [&] { gate.open(); };
  run.trace.finish(Duration::zero());
  CHECK(run.told.words == Words{"1 opened", "2 opened", "1 9",
                                "1 gap of 6: smtpscope was stopped before it was traced", "1 ended",
                                "2 gap of 12: smtpscope was stopped before it was traced",
                                "2 ended"});
  CHECK(run.trace.totals().lost_octets == 18);
}

TEST_CASE("a session whose tracing fails ends alone, and is reported once") {
  test::what_the_rule_does = [] { throw std::runtime_error("odd"); };
  RuleSet rules;
  rules.add(test::kNoopRule);
  Run run(TraceQueue::kLimit, rules);
  auto one = run.open(1);
  auto two = run.open(2);
  run.say(*one, 1, Side::kServer, "220 one\r\n");
  run.say(*one, 1, Side::kClient, "NOOP\r\n");
  run.say(*one, 1, Side::kClient, "NOOP\r\n");
  run.say(*two, 2, Side::kServer, "220 second\r\n");
  run.trace.flush();
  run.attend();
  CHECK(run.sayings.said == Words{"session 1: the tracer failed: odd; its record ends here, its "
                                  "mail flows on"});
  Asker asker;
  one->ask_fate(asker);
  run.attend();
  CHECK(asker.settled == 1);
  run.end(std::move(one), 1);
  run.end(std::move(two), 2);
  run.trace.finish();
  CHECK(run.told.words == Words{"1 opened", "2 opened", "1 9", "1 6",
                                "1 gap of 6: the tracer failed: odd", "1 ended", "2 12",
                                "2 ended"});
  CHECK(run.trace.totals().failed_sessions == 1);
  CHECK(run.sayings.said.size() == 1);
}

TEST_CASE("silences are told while they last") {
  using namespace std::chrono_literals;
  const std::vector<Duration> steps = {5s, 30s, 60s};
  Run run(TraceQueue::kLimit, {}, steps);
  auto tap = run.open(1);  // connected; the server has not greeted
  const auto said_at = [&](Duration now) {
    run.sayings.said.clear();
    run.trace.tick(Time{now});
    run.attend();
    return run.sayings.said;
  };
  CHECK(said_at(6s) ==
        std::vector<std::string>{"session 1: server silent for 5 s, owes the greeting"});
  // Nothing new at 29 s: there is one saying at the end, that of 30 s.
  run.trace.tick(Time{29s});
  CHECK(said_at(31s) ==
        std::vector<std::string>{"session 1: server silent for 30 s, owes the greeting"});
  // What came before the tick is read before it: the server has spoken, whatever the time.
  run.say(*tap, 1, Side::kServer, "220 mx.example.net ESMTP\r\n");
  CHECK(said_at(70s) ==
        std::vector<std::string>{"session 1: client silent for 60 s, owes a command"});
  run.end(std::move(tap), 1);
  run.trace.finish();
  CHECK(run.told.words.back() == "1 ended");
}

TEST_CASE("without lengths nothing is told of silences") {
  using namespace std::chrono_literals;
  Run run;
  auto tap = run.open(1);
  run.trace.tick(Time{100s});
  run.end(std::move(tap), 1);
  run.trace.finish();
  CHECK(run.sayings.said.empty());
}
