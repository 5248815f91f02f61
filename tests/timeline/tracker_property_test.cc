// What holds for every timeline, whatever comes over the wire. The dialogues are made by chance
// from pieces that matter, with a fixed seed.

#include <fmt/format.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "capture/screen.h"
#include "tests/catch.h"
#include "timeline/tracker.h"

namespace smtpscope {
namespace {

/// Checks as it goes. The first violation is kept in words.
class Checker : public TimelineSink {
 public:
  std::string violation;
  std::uint64_t entries = 0;
  std::uint64_t annotations = 0;
  bool ended = false;

  void on_timeline(const TimelineEvent& event) override {
    if (event.time < last_) fail("time goes back");
    last_ = event.time;
    if (ended) fail("an event behind the end of the session");
    std::visit([this](const auto& body) { check(body); }, event.body);
  }

  void fail(const std::string& what) {
    if (violation.empty()) violation = fmt::format("{} (entry {})", what, entries);
  }

 private:
  void check(const Entry& e) {
    if (e.number != ++entries) fail("entries are not numbered one by one");
    if (e.first > e.last) fail("an entry ends before it begins");
    if (e.since_previous < Duration::zero()) fail("negative time since the entry before");
    if (e.think && *e.think < Duration::zero()) fail("negative think time");
    if (e.answers >= e.number) fail("answers what comes later");
    if ((e.transaction == 0) != (e.mark == TxnMark::kOutside)) fail("mark without transaction");
    if (e.mark == TxnMark::kBegins && !begun_.insert(e.transaction).second) fail("begins twice");
    if (e.transaction != 0 && begun_.count(e.transaction) == 0) fail("inside before it began");
    if (gone_.count(e.transaction) != 0) fail("inside what has ended");
    std::uint64_t octets = 0;
    for (const ReadPiece& piece : e.reads) octets += piece.octets;
    const std::uint64_t size = e.item->end - e.item->begin;
    if (octets > size) fail("reads carried more than the entry holds");
    if (e.read_count < e.reads.size()) fail("more reads listed than counted");
    const bool all_listed = e.read_count == e.reads.size();
    if (all_listed && octets != size && !holes_) fail("reads do not add up to the entry");
  }
  void check(const Silence& s) {
    if (s.to < s.from) fail("negative silence");
    if (s.owed.empty()) fail("a silence in which nothing was owed");
  }
  void check(const Annotation& a) {
    if (a.number != ++annotations) fail("annotations are not numbered one by one");
    if (a.text.empty()) fail("an annotation without words");
    for (const std::uint64_t entry : a.entries) {
      if (entry == 0 || entry > entries) fail(fmt::format("{} cites entry {}", a.rule->id, entry));
    }
    if (!a.folded_under.empty()) folded_.insert(a.number);
  }
  void check(const AnnotationFolded& f) {
    if (f.number == 0 || f.number > annotations) fail("folds what is not there");
    if (!folded_.insert(f.number).second) fail("folds twice");
  }
  void check(const TransactionEnded& t) {
    const Transaction& txn = *t.transaction;
    if (begun_.count(txn.number) == 0) fail("ends before it began");
    if (!gone_.insert(txn.number).second) fail("ends twice");
    if (txn.outcome == Outcome::kOpen) fail("ends open");
    if (txn.rcpt_accepted + txn.rcpt_refused > txn.rcpt_sent) fail("more replies than RCPTs");
    if (txn.last_entry > entries) fail("ends with an entry to come");
    ++outcomes_;
  }
  void check(const TimelineGap&) { holes_ = true; }
  void check(const TimelineSessionEnded& e) {
    ended = true;
    if (gone_ != begun_) fail("a transaction never ended");
    if (e.totals->transactions != outcomes_) fail("transactions miscounted");
    if (e.totals->annotations != annotations - folded_.size()) fail("annotations miscounted");
    std::uint64_t sum = 0;
    for (const std::uint64_t n : e.totals->outcomes) sum += n;
    if (sum != outcomes_) fail("outcomes miscounted");
    if (e.verdict.empty()) fail("no verdict");
  }
  template <typename Other>
  void check(const Other&) {}

  Time last_;
  std::set<std::uint64_t> begun_, gone_, folded_;
  std::uint64_t outcomes_ = 0;
  bool holes_ = false;
};

/// A random session. Half of its replies fit what was asked, so that it gets somewhere.
class RandomSession {
 public:
  explicit RandomSession(std::uint32_t seed) : random_(seed) {}

  void run(WireSink& sink, int steps) {
    sink_ = &sink;
    feed(SessionOpened{});
    if (chance(20)) pause();
    feed(UpstreamConnected{});
    if (chance(10)) say(Side::kServer, "220 mx\r\n");
    for (int i = 0; i < steps; ++i) step();
    if (chance(2)) feed(Closed{.from = pick_side(), .kind = pick_kind(), .reason = {}});
    if (chance(2)) feed(Closed{.from = pick_side(), .kind = pick_kind(), .reason = {}});
    feed(SessionEnded{});
  }

 private:
  bool chance(std::uint32_t one_in) { return random_() % one_in == 0; }
  template <typename T>
  const T& pick(const std::vector<T>& from) {
    return from[random_() % from.size()];
  }
  Side pick_side() { return chance(2) ? Side::kClient : Side::kServer; }
  CloseKind pick_kind() {
    return pick<CloseKind>({CloseKind::kFin, CloseKind::kReset, CloseKind::kTimeout});
  }
  void pause() {
    now_ += std::chrono::milliseconds(
        pick<int>({0, 1, 1, 5, 43, 950, 1000, 1001, 2000, 5000, 10001, 61000, 300000}));
  }

  void step() {
    static const std::vector<std::string> kClient = {
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
        "QUIT\r\n",
        "BDAT 3\r\nabc",
        "BDAT 3 LAST\r\nabc",
        "BURL imap://x LAST\r\n",
        "AUTH PLAIN AAAA\r\n",
        "AUTH LOGIN\r\n",
        "dXNlcg==\r\n",
        "STARTTLS\r\n",
        "XCLIENT ADDR=x\r\n",
        "XEXCH50 2 2\r\n",
        "Subject: x\r\n\r\nbody\r\n.\r\n",
        "text\r\n",
        ".\r\n",
        "x\n.\r\ny\r\n.\r\n",
        "MAIL",
        " FROM:<",
        "\r\n",
        "TURN\r\n",
        "\x16\x03\x01\x01",
        "VRFY x\r\n",
        "garbage \xff\r\n"};
    static const std::vector<std::string> kServer = {"250 ok\r\n",
                                                     "250 ok\r\n",
                                                     "250 ok\r\n250 ok\r\n",
                                                     "250-a\r\n250-CHUNKING\r\n250 PIPELINING\r\n",
                                                     "354 go\r\n",
                                                     "354 go\r\n",
                                                     "220 go\r\n",
                                                     "221 bye\r\n",
                                                     "235 ok\r\n",
                                                     "334 \r\n",
                                                     "353 prdr\r\n",
                                                     "421 timeout\r\n",
                                                     "450 later\r\n",
                                                     "503 no\r\n",
                                                     "550 no\r\n",
                                                     "554 no\r\n",
                                                     "521 no\r\n",
                                                     "hello\r\n",
                                                     "250-part",
                                                     "25",
                                                     "250 \xc3\xa4\r\n"};
    const auto what = random_() % 100;
    if (chance(3)) pause();
    if (what < 48) return say(Side::kClient, pick(kClient));
    if (what < 92) return say(Side::kServer, pick(kServer));
    if (what < 93) return feed(Gap{.from = pick_side(), .octets = random_() % 50, .why = "test"});
    if (what < 94) return feed(Gap{.from = {}, .octets = 0, .why = "test"});
    if (what < 96) return feed(Blocked{.to = pick_side(), .since = now_, .octets = 9});
    if (what < 98) return feed(ProxyStalled{.since = now_});
    if (chance(4)) feed(Closed{.from = pick_side(), .kind = pick_kind(), .reason = {}});
  }

  void say(Side side, const std::string& text) {
    Bytes bytes;
    bytes.from = side;
    bytes.head = {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
    feed(bytes);
  }

  template <typename Body>
  void feed(Body body) {
    now_ += std::chrono::microseconds(random_() % 2000);
    sink_->on_wire({.session = 1, .time = now_, .body = body});
  }

  std::mt19937 random_;
  Time now_;
  WireSink* sink_ = nullptr;
};

class IntoTracker : public WireSink {
 public:
  explicit IntoTracker(TimelineSink& sink)
      : tracker_(1, rules_, history_, sink),
        screen_({.keep_credentials = true}, nullptr, &tracker_) {}
  void on_wire(const WireEvent& event) override { screen_.feed(event); }

 private:
  RuleSet rules_;
  RunHistory history_;
  Tracker tracker_;
  Screen screen_;
};

TEST_CASE("every timeline is consistent, whatever comes over the wire") {
  std::uint64_t annotations = 0;
  for (std::uint32_t seed = 1; seed <= 3000; ++seed) {
    Checker checker;
    IntoTracker tracker(checker);
    RandomSession(seed).run(tracker, 5 + static_cast<int>(seed % 60));
    INFO("seed " << seed);
    REQUIRE(checker.violation == "");
    REQUIRE(checker.ended);
    annotations += checker.annotations;
  }
  // Otherwise the dialogues got nowhere and nothing was tested.
  CHECK(annotations > 3000);
}

}  // namespace
}  // namespace smtpscope
