// Three threads tell of a recording what one tells, in the same order, and keep no view of what the
// source had in hand.

#include "trace/staged_replay.h"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/octets.h"
#include "capture/event_format.h"
#include "exporters/exporter.h"
#include "tests/catch.h"

using namespace smtpscope;

namespace {

/// What is said in each session, and by whom.
const std::vector<std::pair<Side, std::string>> kDialogue = {
    {Side::kServer, "220 mx.example ESMTP\r\n"},
    {Side::kClient, "EHLO client.example\r\n"},
    {Side::kServer, "250-mx.example\r\n250 SIZE 1000\r\n"},
    {Side::kClient, "MAIL FROM:<a@example.com>\r\n"},
    {Side::kServer, "250 ok\r\n"},
    {Side::kClient, "RCPT TO:<b@example.net>\r\n"},
    {Side::kServer, "450 4.7.1 greylisted, come back later\r\n"},
    {Side::kClient, "RCPT TO:<c@example.net>\r\n"},
    {Side::kServer, "250 ok\r\n"},
    {Side::kClient, "DATA\r\n"},
    {Side::kServer, "354 go\r\n"},
    {Side::kClient, "Message-ID: <the-same@example.com>\r\n\r\nHello, all of you.\r\n.\r\n"},
    {Side::kServer, "250 queued\r\n"},
    {Side::kClient, "QUIT\r\n"},
    {Side::kServer, "221 bye\r\n"},
};

/// Sessions side by side, of the same client, with the same message, so that the rules have to look
/// across them. What an event points to is overwritten as soon as the sink has returned.
class SideBySide : public WireSource {
 public:
  explicit SideBySide(std::size_t sessions) : sessions_(sessions) {}

  const RunInfo& run() const override { return run_; }
  Result<bool> next(WireSink& sink) override {
    const std::size_t round = at_ / sessions_;
    const SessionId session = at_ % sessions_ + 1;
    if (round == kDialogue.size() + 2) return fault ? Result<bool>(*fault) : Result<bool>(false);
    if (throws_at == at_) throw std::runtime_error("the source");
    ++at_;
    if (round == 0) {
      scratch_ = "192.0.2.1:" + std::to_string(session);
      hand_over(sink, session, SessionOpened{.client = scratch_, .listener = "", .upstream = ""});
    } else if (round <= kDialogue.size()) {
      Bytes bytes;
      bytes.from = kDialogue[round - 1].first;
      scratch_ = kDialogue[round - 1].second;
      bytes.head = octets_of(scratch_);
      hand_over(sink, session, bytes);
    } else {
      scratch_ = "done with it";
      hand_over(sink, session, Closed{.from = Side::kClient, .reason = scratch_});
      hand_over(sink, session, SessionEnded{});
    }
    return true;
  }
  void finish(WireSink& sink) override {
    scratch_ = "at the very end";
    hand_over(sink, kWholeRun, Gap{.from = {}, .octets = 0, .events = 1, .why = scratch_});
  }
  std::vector<SourceNotice> notices() const override { return {}; }

  std::optional<Error> fault;  // at the end of its events
  std::size_t throws_at = ~std::size_t{0};

 private:
  void hand_over(WireSink& sink, SessionId session, decltype(WireEvent::body) body) {
    run_.tap = "known by now";
    sink.on_wire({session, now_ += Duration(1'000'000), std::move(body)});
    scratch_.assign(scratch_.size(), '?');
  }

  const std::size_t sessions_;
  RunInfo run_;
  std::size_t at_ = 0;
  Time now_;
  std::string scratch_;
};

std::string line_of(const WireEvent& event) {
  std::string line(most_event_line(event), '\0');
  line.resize(static_cast<std::size_t>(format_event(line.data(), event) - line.data()));
  return line;
}

class AllText : public Output {
 public:
  void write(std::string_view text) override { all += text; }
  std::string all;
};

/// Writes down whatever it is told of, in one text.
class Scribe : public TimelineSink {
 public:
  class Events : public WireSink {
   public:
    Events(std::string name, std::string& text) : name_(std::move(name)), text_(text) {}
    void on_wire(const WireEvent& event) override { text_ += name_ + line_of(event); }

   private:
    const std::string name_;
    std::string& text_;
  };

  Scribe() : exporter_(find_exporter("jsonl")->make({}, output_)) {}
  void on_timeline(const TimelineEvent& event) override {
    exporter_->on_timeline(event);
    text += std::exchange(output_.all, {});
  }

  std::string text;
  Events octets{"octets ", text};
  Events record{"record ", text};

 private:
  AllText output_;
  std::unique_ptr<Exporter> exporter_;
};

/// Gives each event to both.
class OneAfterTheOther : public WireSink {
 public:
  OneAfterTheOther(WireSink& first, WireSink& second) : first_(first), second_(second) {}
  void on_wire(const WireEvent& event) override {
    first_.on_wire(event);
    second_.on_wire(event);
  }

 private:
  WireSink& first_;
  WireSink& second_;
};

std::string told_by_one_thread(SideBySide source) {
  RuleSet rules;
  Scribe scribe;
  Replay replay({}, rules, scribe, &scribe.record);
  replay.tell_headlines_of(source.run());
  OneAfterTheOther both(scribe.octets, replay);
  while (source.next(both).value()) {
  }
  source.finish(both);
  replay.finish();
  return scribe.text;
}

bool never() { return false; }

}  // namespace

TEST_CASE("three threads tell what one tells, in its order") {
  // One batch, and several hundred.
  for (const std::size_t sessions : {std::size_t{1}, std::size_t{3}, std::size_t{1500}}) {
    const std::string expected = told_by_one_thread(SideBySide(sessions));
    SideBySide source(sessions);
    RuleSet rules;
    Scribe scribe;
    StagedReplay stages(source, {}, rules, true);
    const auto done =
        stages.run({.timeline = scribe, .octets = scribe.octets, .record = scribe.record}, never);
    CHECK(done);
    // Not CHECK(a == b), which would print megabytes.
    const bool same = scribe.text == expected;
    CHECK(same);
    CHECK(stages.run_info().tap == "known by now");
    if (sessions == 3) {
      CHECK_THAT(scribe.text, test::holds("duplicate-message"));
      CHECK_THAT(scribe.text, test::holds("parallel-sessions"));
      CHECK_THAT(scribe.text, test::holds("at the very end"));
    }
  }
}

TEST_CASE("sessions that nobody asked for are not told, and those that are missing are known") {
  SideBySide source(3);
  RuleSet rules;
  Scribe scribe;
  StagedReplay stages(source, {2, 7}, rules, false);
  REQUIRE(
      stages.run({.timeline = scribe, .octets = scribe.octets, .record = scribe.record}, never));
  CHECK_THAT(scribe.text, test::holds(R"("session":2)"));
  CHECK_THAT(scribe.text, !test::holds(R"("session":3)"));
  CHECK_THAT(scribe.text, !test::holds("octets "));
  CHECK(stages.replay().missing() == std::set<SessionId>{7});
}

TEST_CASE("a fault of reading is told behind all that was read before") {
  SideBySide source(2);
  source.fault = Error{"a bad disk"};
  RuleSet rules;
  Scribe scribe;
  StagedReplay stages(source, {}, rules, true);
  const auto done =
      stages.run({.timeline = scribe, .octets = scribe.octets, .record = scribe.record}, never);
  REQUIRE_FALSE(done);
  CHECK(done.error().message == "a bad disk");
  CHECK(scribe.text == told_by_one_thread(SideBySide(2)));
}

TEST_CASE("what a stage throws comes out, and no thread is left behind") {
  RuleSet rules;
  Scribe scribe;
  SECTION("the first stage") {
    SideBySide source(2000);
    source.throws_at = 20'000;
    StagedReplay stages(source, {}, rules, false);
    CHECK_THROWS_WITH(
        stages.run({.timeline = scribe, .octets = scribe.octets, .record = scribe.record}, never),
        "the source");
  }
  SECTION("the last stage") {
    class Fails : public TimelineSink {
     public:
      void on_timeline(const TimelineEvent&) override { throw std::runtime_error("the writer"); }
    };
    SideBySide source(2000);
    Fails fails;
    StagedReplay stages(source, {}, rules, false);
    CHECK_THROWS_WITH(
        stages.run({.timeline = fails, .octets = scribe.octets, .record = scribe.record}, never),
        "the writer");
  }
}

namespace {

/// A message that never ends. Counts what it has given.
class Endless : public WireSource {
 public:
  const RunInfo& run() const override { return run_; }
  Result<bool> next(WireSink& sink) override {
    if (given == 0) {
      sink.on_wire({1, Time(), SessionOpened{.client = "a", .listener = "", .upstream = ""}});
    }
    Bytes bytes;
    bytes.from = Side::kServer;
    bytes.head = octets_of(text_);
    sink.on_wire({1, Time(), bytes});
    const std::lock_guard lock(mutex_);
    given += text_.size();
    changed_.notify_all();
    return true;
  }
  void finish(WireSink&) override {}
  std::vector<SourceNotice> notices() const override { return {}; }

  void wait_for(std::size_t octets) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return given >= octets; });
  }
  std::atomic<std::size_t> given = 0;

 private:
  RunInfo run_;
  const std::string text_ = "220 " + std::string(30'000, 'x') + "\r\n";
  std::mutex mutex_;
  std::condition_variable changed_;
};

/// Takes its time.
class Slow : public WireSink, public TimelineSink {
 public:
  explicit Slow(Endless& source) : source_(source) {}
  void on_timeline(const TimelineEvent&) override {
    // The reader may go on without us, up to here.
    if (std::exchange(begun_, true)) return;
    source_.wait_for(StagedReplay::kUnderWay / 2);
  }
  void on_wire(const WireEvent& event) override {
    if (const auto* bytes = std::get_if<Bytes>(&event.body)) taken += bytes->octets();
    most_ahead = std::max(most_ahead, source_.given.load() - std::min(source_.given.load(), taken));
  }
  std::size_t taken = 0;
  std::size_t most_ahead = 0;

 private:
  Endless& source_;
  bool begun_ = false;
};

class Ignored : public WireSink {
 public:
  void on_wire(const WireEvent&) override {}
};

}  // namespace

TEST_CASE("who reads is ahead by so much and no more, and stops when nobody wants to know more") {
  Endless source;
  Slow slow(source);
  Ignored record;
  RuleSet rules;
  StagedReplay stages(source, {}, rules, true);
  CHECK(stages.run({.timeline = slow, .octets = slow, .record = record},
                   [&] { return slow.taken > 16 * StagedReplay::kUnderWay; }));
  CHECK(slow.most_ahead >= StagedReplay::kUnderWay / 2);
  CHECK(slow.most_ahead <= StagedReplay::kUnderWay + 2 * StagedReplay::kBatch);
}
