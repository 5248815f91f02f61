// Whatever a rule or an exporter throws ends the tracing of one session, visibly, and nothing else.

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/octets.h"
#include "tests/catch.h"
#include "tests/trace/replay_script.h"
#include "tests/trace/traced.h"
#include "trace/replay.h"

using namespace smtpscope;
using test::Told;

namespace {

/// The record that a replay may write: its events, a word each.
class Record : public WireSink {
 public:
  void on_wire(const WireEvent& event) override {
    std::string word = std::to_string(event.session);
    if (const auto* bytes = std::get_if<Bytes>(&event.body)) {
      word += " " + std::string(text_of(bytes->head));
      while (word.back() == '\r' || word.back() == '\n') word.pop_back();
    } else if (const auto* gap = std::get_if<Gap>(&event.body)) {
      word += gap->from ? (*gap->from == Side::kClient ? " client" : " server") : "";
      word += " gap of " + std::to_string(gap->octets) + " in " + std::to_string(gap->events) +
              ": " + std::string(gap->why);
    } else if (std::holds_alternative<SessionEnded>(event.body)) {
      word += " ended";
    } else {
      word += " other";
    }
    words.push_back(word);
  }
  std::vector<std::string> words;
};

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("a rule that throws ends the timeline of its session, with a hole that says why") {
  test::what_the_rule_does = [] { throw std::out_of_range("no such place"); };
  RuleSet rules;
  rules.add(test::kNoopRule);
  Told told;
  Record record;
  Replay replay({}, rules, told, &record);
  test::ReplayScript script(replay);
  script.open(1).say(1, Side::kServer, "220 a\r\n");
  script.open(2).say(2, Side::kServer, "220 a\r\n");
  script.say(1, Side::kClient, "NOOP\r\n");
  script.say(1, Side::kServer, "250 ok\r\n");
  script.say(1, Side::kClient, "AUTH PLAIN AGJvYgBzZWNyZXQ=\r\n");
  script.say(2, Side::kClient, "QUIT\r\n");
  script.end(1);
  script.end(2);

  const std::string why = "the tracer failed: no such place";
  CHECK(told.words == Words{"1 opened", "1 7", "2 opened", "2 7", "1 6", "1 gap of 6: " + why,
                            "1 ended", "2 6", "2 ended"});
  CHECK(record.words == Words{"1 other", "1 220 a", "2 other", "2 220 a",
                              "1 client gap of 6 in 1: " + why, "2 QUIT",
                              "1 client gap of 29 in 2: " + why, "1 server gap of 8 in 0: " + why,
                              "1 ended", "2 ended"});
  CHECK(replay.failures() == Words{"session 1: " + why});
  CHECK(replay.failed() == 1);
}

TEST_CASE("so does an exporter that throws, even again and again") {
  RuleSet rules;
  Told told;
  told.then = [](const std::string& word) {
    if (word.starts_with("1 ") && word != "1 opened") throw std::runtime_error("odd");
  };
  Replay replay({}, rules, told);
  test::ReplayScript script(replay);
  script.open(1).say(1, Side::kServer, "220 a\r\n");
  script.open(2).say(2, Side::kServer, "220 a\r\n");
  script.say(1, Side::kClient, "NOOP\r\n");
  script.end(1);
  script.say(2, Side::kClient, "QUIT\r\n");
  script.end(2);
  CHECK(told.words == Words{"1 opened", "1 7", "1 gap of 7: the tracer failed: odd", "1 ended",
                            "2 opened", "2 7", "2 6", "2 ended"});
  CHECK(replay.failures() == Words{"session 1: the tracer failed: odd"});
}

TEST_CASE("what is thrown need not be an exception") {
  test::what_the_rule_does = [] { throw 7; };
  RuleSet rules;
  rules.add(test::kNoopRule);
  Told told;
  Replay replay({}, rules, told);
  test::ReplayScript script(replay);
  script.open(1).say(1, Side::kServer, "220 a\r\n");
  script.say(1, Side::kClient, "NOOP\r\n");
  script.end(1);
  CHECK(replay.failed() == 1);
  CHECK(told.words.back() == "1 ended");
}

TEST_CASE("what was held back when the tracer failed stays out of the record") {
  test::what_the_rule_does = [] { throw std::runtime_error("odd"); };
  RuleSet rules;
  rules.add(test::kNoopRule);
  Told told;
  Record record;
  Replay replay({}, rules, told, &record);
  test::ReplayScript script(replay);
  script.open(1).say(1, Side::kServer, "220 a\r\n");
  script.say(1, Side::kClient, "EHLO a\r\n");
  script.say(1, Side::kServer, "250 AUTH PLAIN\r\n");
  // A command line of which nobody knows yet whether it holds a secret, then the one that fails.
  script.say(1, Side::kClient, "AUTH PLAIN AGJvYgBz");
  script.say(1, Side::kClient, "ZWNyZXQ=\r\nNOOP\r\n");
  script.say(1, Side::kServer, "235 ok\r\n250 ok\r\n");
  script.end(1);
  CHECK(replay.failed() == 1);
  for (const std::string& word : record.words) {
    CHECK(word.find("AGJvYgBz") == std::string::npos);
    CHECK(word.find("ZWNyZXQ") == std::string::npos);
  }
}
