#include "timeline/rule_engine.h"

#include <fmt/format.h>

#include "tests/catch.h"

namespace smtpscope {
namespace {

/// What came out, a line each: "1 rset-noop", "2 gap-client < round-pause", "fold 1 < …".
class Lines : public TimelineSink {
 public:
  std::vector<std::string> lines;

  void on_timeline(const TimelineEvent& event) override {
    if (const auto* a = std::get_if<Annotation>(&event.body)) {
      lines.push_back(fmt::format("{} {}{}", a->number, a->rule->id, under(a->folded_under)));
    } else if (const auto* f = std::get_if<AnnotationFolded>(&event.body)) {
      lines.push_back(fmt::format("fold {}{}", f->number, under(f->under)));
    }
  }

 private:
  static std::string under(std::string_view headline) {
    return headline.empty() ? "" : fmt::format(" < {}", headline);
  }
};

/// Lets rules "fire" by hand, so that folding is tested without a dialogue.
class Bench {
 public:
  struct Where {
    std::uint64_t place = 1;
    std::uint64_t transaction = 0;
    std::uint64_t silence = 0;
    std::string_view variant = "";
    Severity severity = Severity::kNotice;
    Fault fault = Fault::kUnknown;
  };

  void fire(std::string_view id, const Where& where) {
    const Rule* rule = find_rule(id);
    REQUIRE(rule != nullptr);
    Finding finding;
    finding.text = "evidence";
    finding.transaction = where.transaction;
    finding.variant = where.variant;
    finding.severity = where.severity;
    finding.fault = where.fault;
    engine.add(*rule, std::move(finding), where.place, where.silence);
  }
  void settle(PlaceRange between = {}) { engine.settle(Time{}, between); }
  std::vector<std::string> take() { return std::exchange(sink.lines, {}); }

  Lines sink;
  RuleSet rules;
  RuleEngine engine{1, rules, sink};
};

using Expected = std::vector<std::string>;

TEST_CASE("a headline folds what fires with it, and comes first") {
  Bench bench;
  bench.fire("gap-client", {.silence = 1});
  bench.fire("round-pause", {.silence = 1});
  bench.settle();
  CHECK(bench.take() == Expected{"1 round-pause", "2 gap-client < round-pause"});
  CHECK(bench.engine.annotations() == 1);
}

TEST_CASE("another silence is another story") {
  Bench bench;
  bench.fire("round-pause", {.silence = 1});
  bench.settle();
  bench.fire("gap-client", {.silence = 2});
  bench.settle();
  CHECK(bench.take() == Expected{"1 round-pause", "2 gap-client"});
}

TEST_CASE("a later headline folds what was said before") {
  Bench bench;
  bench.fire("txn-aborted-rset", {.place = 8, .transaction = 1});
  bench.settle();
  bench.fire("rset-repeated", {.place = 11});
  bench.settle();
  bench.fire("txn-replayed-after-rset", {.place = 14, .transaction = 2});
  bench.settle({.begin = 8, .end = 11});
  CHECK(bench.take() == Expected{"1 txn-aborted-rset", "2 rset-repeated",
                                 "3 txn-replayed-after-rset", "fold 1 < txn-replayed-after-rset",
                                 "fold 2 < txn-replayed-after-rset"});
  CHECK(bench.engine.annotations() == 1);
}

TEST_CASE("what lies outside the two transactions is not folded under a replay") {
  Bench bench;
  bench.fire("gap-client", {.place = 3});
  bench.fire("gap-client", {.place = 12});
  bench.settle();
  bench.fire("txn-replayed-after-rset", {.place = 14, .transaction = 2});
  bench.settle({.begin = 8, .end = 11});
  CHECK(bench.take() == Expected{"1 gap-client", "2 gap-client", "3 txn-replayed-after-rset"});
}

TEST_CASE("a headline said before folds what comes later in its reach") {
  Bench bench;
  bench.fire("lost-after-eod", {.place = 9, .transaction = 1});
  bench.settle();
  bench.fire("txn-aborted-disconnect", {.place = 10, .transaction = 1});
  bench.fire("txn-aborted-disconnect", {.place = 10, .transaction = 2});
  bench.settle();
  CHECK(bench.take() == Expected{"1 lost-after-eod", "2 txn-aborted-disconnect",
                                 "3 txn-aborted-disconnect < lost-after-eod"});
}

TEST_CASE("a row can be about one variant only") {
  Bench bench;
  bench.fire("all-rcpt-rejected", {.transaction = 1});
  bench.fire("txn-aborted-rset", {.transaction = 1, .variant = "after-reject"});
  bench.fire("txn-aborted-quit", {.transaction = 1, .variant = "mail-only"});
  bench.settle();
  CHECK(bench.take() == Expected{"1 all-rcpt-rejected", "2 txn-aborted-quit",
                                 "3 txn-aborted-rset < all-rcpt-rejected"});
}

TEST_CASE("what is folded already is not folded again") {
  Bench bench;
  bench.fire("round-pause", {.place = 9, .silence = 1});
  bench.fire("gap-client", {.place = 9, .silence = 1});
  bench.settle();
  bench.fire("txn-replayed-after-rset", {.place = 14, .transaction = 2});
  bench.settle({.begin = 8, .end = 11});
  CHECK(bench.take() == Expected{"1 round-pause", "2 gap-client < round-pause",
                                 "3 txn-replayed-after-rset", "fold 1 < txn-replayed-after-rset"});
}

TEST_CASE("folding lowers the worst severity, and the verdict's findings") {
  Bench bench;
  bench.fire("txn-aborted-disconnect", {.transaction = 1, .severity = Severity::kError});
  bench.settle();
  CHECK(bench.engine.worst() == Severity::kError);
  CHECK(bench.engine.told().size() == 1);
  bench.fire("lost-after-eod", {.transaction = 1, .severity = Severity::kWarning});
  bench.settle();
  CHECK(bench.engine.worst() == Severity::kWarning);
  REQUIRE(bench.engine.told().size() == 1);
  CHECK(bench.engine.told()[0].rule->id == "lost-after-eod");
}

TEST_CASE("who is accused is told by what stands, unfolded and worth a notice") {
  Bench bench;
  bench.fire("rset-noop", {.severity = Severity::kInfo, .fault = Fault::kClient});
  bench.fire("round-pause", {.place = 9, .silence = 1, .fault = Fault::kServer});
  bench.settle();
  CHECK(!bench.engine.accuses(Fault::kClient));
  CHECK(bench.engine.accuses(Fault::kServer));
  bench.fire("txn-replayed-after-rset", {.place = 14, .transaction = 2});
  bench.settle({.begin = 8, .end = 11});
  CHECK(!bench.engine.accuses(Fault::kServer));
}

TEST_CASE("the gravest findings are kept in words, oldest first") {
  Bench bench;
  for (std::size_t i = 0; i < 20; ++i) {
    bench.fire("rset-noop", {.place = i, .severity = Severity::kInfo});
  }
  bench.fire("rset-rejected", {.severity = Severity::kWarning});
  bench.fire("rset-server-closed", {.severity = Severity::kError});
  bench.settle();
  const auto told = bench.engine.told();
  REQUIRE(told.size() == RuleEngine::kToldFindings);
  CHECK(told[0].rule->id == "rset-server-closed");
  CHECK(told[1].rule->id == "rset-rejected");
  CHECK(told[2].number == 1);
}

TEST_CASE("only the last annotations can still be folded") {
  Bench bench;
  bench.fire("txn-aborted-rset", {.transaction = 1});
  for (std::size_t i = 0; i < RuleEngine::kRemembered; ++i) bench.fire("rset-noop", {.place = 5});
  bench.settle();
  bench.take();
  bench.fire("callout-probe", {.transaction = 1});
  bench.settle();
  CHECK(bench.take().size() == 1);
}

TEST_CASE("what could not be evaluated is reported once for each rule, however many there are") {
  Bench bench;
  CHECK(bench.engine.not_evaluated().empty());
  std::vector<std::string_view> ids;
  for (const Rule* rule : all_rules().first(5)) {
    bench.engine.not_evaluated(*rule, "first");
    bench.engine.not_evaluated(*rule, "again");
    ids.push_back(rule->id);
    REQUIRE(bench.engine.not_evaluated().size() == ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      CHECK(bench.engine.not_evaluated()[i].rule->id == ids[i]);
      CHECK(bench.engine.not_evaluated()[i].why == "first");
    }
  }
}

}  // namespace
}  // namespace smtpscope
