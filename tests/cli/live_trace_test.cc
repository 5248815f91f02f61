// A live run's events wait for each other; nothing is lost or told in another order for it.

#include "cli/live_trace.h"

#include <memory>
#include <string>
#include <vector>

#include "base/octets.h"
#include "tests/catch.h"

using namespace smtpscope;

namespace {

/// What is told, a word each.
class Told : public TimelineSink {
 public:
  void on_timeline(const TimelineEvent& event) override {
    std::string word = std::to_string(event.session);
    if (std::holds_alternative<TimelineSessionStarted>(event.body)) {
      word += " opened";
    } else if (std::holds_alternative<TimelineSessionEnded>(event.body)) {
      word += " ended";
    } else if (const auto* entry = std::get_if<Entry>(&event.body)) {
      word += " " + std::to_string(entry->item->end - entry->item->begin);
    } else {
      return;
    }
    words.push_back(word);
  }
  std::vector<std::string> words;
};

class Run {
 public:
  std::unique_ptr<SessionTap> open(SessionId id) {
    auto tap = trace.open(id);
    tap->feed(
        {id, at(), SessionOpened{.client = "192.0.2.10:50114", .listener = "", .upstream = ""}});
    tap->feed({id, at(), UpstreamConnected{.server = "192.0.2.25:25"}});
    return tap;
  }
  void say(SessionTap& tap, SessionId id, Side from, std::string text) {
    Bytes bytes;
    bytes.from = from;
    bytes.head = octets_of(text);
    tap.feed({id, at(), bytes});
    text.assign(text.size(), '?');  // a read buffer is used again at once
  }
  void end(std::unique_ptr<SessionTap> tap, SessionId id) { tap->feed({id, at(), SessionEnded{}}); }

  Told told;
  RuleSet rules;
  LiveTrace trace{ScreenPolicy{}, rules, nullptr, &told, nullptr};

 private:
  Time at() { return now_ += Duration(1000); }
  Time now_;
};

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
  run.trace.flush();
  CHECK(run.told.words == Words{"1 opened", "2 opened", "1 9", "2 12", "1 6", "1 ended", "2 6"});
  CHECK(run.trace.summary().sessions() == 2);
  CHECK(run.trace.summary().open() == 1);
  run.end(std::move(two), 2);
  run.trace.flush();
  CHECK(run.told.words.back() == "2 ended");
}

TEST_CASE("a long read does not overtake the short ones before it") {
  Run run;
  auto one = run.open(1);
  run.say(*one, 1, Side::kServer, "220 one\r\n");
  run.say(*one, 1, Side::kClient, "EHLO a.example\r\n");
  run.say(*one, 1, Side::kServer, "250-" + std::string(20000, 'x') + "\r\n250 SIZE\r\n");
  CHECK(run.told.words == Words{"1 opened", "1 9", "1 16", "1 20016"});
  run.end(std::move(one), 1);
  run.trace.flush();
}

TEST_CASE("more events than wait at a time") {
  Run run;
  auto one = run.open(1);
  run.say(*one, 1, Side::kServer, "220 one\r\n");
  for (int i = 0; i < 500; ++i) {
    run.say(*one, 1, Side::kClient, "NOOP\r\n");
    run.say(*one, 1, Side::kServer, "250 2.0.0 Ok\r\n");
  }
  run.end(std::move(one), 1);
  run.trace.flush();
  CHECK(run.told.words.size() == 1003);
  CHECK(run.trace.summary().open() == 0);
}

TEST_CASE("whether a message's fate is open counts what waits") {
  Run run;
  auto one = run.open(1);
  run.say(*one, 1, Side::kServer, "220 one\r\n");
  run.say(*one, 1, Side::kClient, "HELO a\r\n");
  run.say(*one, 1, Side::kServer, "250 one\r\n");
  run.say(*one, 1, Side::kClient, "MAIL FROM:<a@a.example>\r\n");
  run.say(*one, 1, Side::kServer, "250 ok\r\n");
  run.say(*one, 1, Side::kClient, "RCPT TO:<b@b.example>\r\n");
  run.say(*one, 1, Side::kServer, "250 ok\r\n");
  run.say(*one, 1, Side::kClient, "DATA\r\n");
  run.say(*one, 1, Side::kServer, "354 go\r\n");
  CHECK(!one->fate_open());
  run.say(*one, 1, Side::kClient, "Subject: x\r\n\r\nx\r\n.\r\n");
  CHECK(one->fate_open());
  run.say(*one, 1, Side::kServer, "250 queued\r\n");
  CHECK(!one->fate_open());
  run.end(std::move(one), 1);
  run.trace.flush();
}
