#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>

#include "exporters/exporter.h"
#include "exporters/json/json_exporter.h"
#include "exporters/session_order.h"
#include "tests/catch.h"
#include "tests/exporters/golden.h"
#include "tests/exporters/story.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace {

using namespace std::chrono_literals;

/// Two sessions, a line of each in turn; the first ends last.
void tell_two(Exporter& exporter) {
  exporter.begin_run(story_run());
  Story one(1, exporter);
  Story two(2, exporter);
  one.at(0ms).started("192.0.2.1:1", "mx.example:25");
  one.at(1ms).reply({"220 one"}, Answers::kGreeting);
  two.at(2ms).started("192.0.2.2:2", "mx.example:25");
  one.at(3ms).command("EHLO one");
  two.at(4ms).reply({"220 two"}, Answers::kGreeting);
  two.at(5ms).command("QUIT");
  SessionTotals totals;
  totals.ended = Time{6ms};
  two.at(6ms).ended(totals, {{VerdictKind::kMessage, "nothing was sent"}});
  one.at(7ms).reply({"250 one"});
  totals.ended = Time{8ms};
  one.at(8ms).ended(totals, {});
  exporter.end_run();
  exporter.finish();
}

std::string text_of_two(const ExporterOptions& options) {
  StringOutput output;
  const std::unique_ptr<Exporter> exporter = find_exporter("text")->make(options, output);
  tell_two(*exporter);
  return output.text();
}

TEST_CASE("by time, lines of sessions that overlap say whose they are") {
  check_golden("two-by-time.txt", text_of_two({}));
}

TEST_CASE("by session, each is whole") {
  ExporterOptions options;
  options.arrangement = Arrangement::kBySession;
  check_golden("two-by-session.txt", text_of_two(options));
}

TEST_CASE("runs are named when there are several") {
  ExporterOptions options;
  options.name_runs = true;
  StringOutput output;
  const std::unique_ptr<Exporter> exporter = find_exporter("text")->make(options, output);
  for (int i = 0; i < 2; ++i) {
    exporter->begin_run(story_run());
    Story story(1, *exporter);
    tell_unreachable(story);
    exporter->end_run();
  }
  exporter->finish();
  check_golden("two-runs.txt", output.text());
}

TEST_CASE("only annotated sessions are shown, in every format made of timelines alone") {
  for (const ExporterKind& kind : all_exporters()) {
    if (kind.octets || kind.make == nullptr) continue;  // have tests of their own
    for (const Arrangement arrangement : {Arrangement::kByTime, Arrangement::kBySession}) {
      INFO(kind.name);
      ExporterOptions options;
      options.arrangement = arrangement;
      SECTION(std::string(kind.name) + (arrangement == Arrangement::kByTime ? "-" : "=")) {
        // Enough for the origin, whose worst is a warning; too little for the unreachable one,
        // which has none.
        options.annotated_from = Severity::kWarning;
        StringOutput output;
        const std::unique_ptr<Exporter> exporter = kind.make(options, output);
        exporter->begin_run(story_run());
        Story unreachable(1, *exporter);
        tell_unreachable(unreachable);
        Story origin(2, *exporter);
        tell_origin(origin, 60s);
        exporter->end_run();
        exporter->finish();
        CHECK(output.text().find("alice@example.com") != std::string::npos);
        CHECK(output.text().find("connection refused") == std::string::npos);
      }
      SECTION(std::string(kind.name) + " none" +
              (arrangement == Arrangement::kByTime ? "-" : "=")) {
        options.annotated_from = Severity::kError;
        StringOutput output;
        const std::unique_ptr<Exporter> exporter = kind.make(options, output);
        exporter->begin_run(story_run());
        Story origin(1, *exporter);
        tell_origin(origin);
        exporter->end_run();
        exporter->finish();
        CHECK(output.text().find("alice@example.com") == std::string::npos);
      }
    }
  }
}

TEST_CASE("a document is the same, whether it waits in memory or in a file") {
  for (const bool only_annotated : {false, true}) {
    const auto document = [&](std::size_t held) {
      ExporterOptions options;
      if (only_annotated) options.annotated_from = Severity::kWarning;
      StringOutput output;
      JsonExporter exporter(options, output, held);
      exporter.begin_run(story_run());
      Story first(1, exporter);
      first.at(0ms).started("192.0.2.1:1", "mx.example:25");
      Story unreachable(2, exporter);
      tell_unreachable(unreachable);
      Story origin(3, exporter);
      tell_origin(origin, 60s);
      // A number that is used once more.
      Story again(3, exporter);
      tell_origin(again, 90s);
      first.at(200s).reply({"220 one"}, Answers::kGreeting);
      exporter.end_run();
      exporter.finish();
      CHECK(!exporter.fault());
      return output.text();
    };
    const std::string in_memory = document(Spool::kMostHeld);
    for (const std::size_t held : {0UL, 1UL, 100UL, 5000UL}) CHECK(document(held) == in_memory);
    CHECK((in_memory.find("\"session\":1") != std::string::npos) == !only_annotated);
    CHECK(in_memory.find("\"session\":3") != in_memory.rfind("\"session\":3"));
  }
}

TEST_CASE("an annotation that is folded long after it was told is told apart from the fold") {
  StringOutput output;
  JsonExporter exporter({}, output);
  exporter.begin_run(story_run());
  const Rule* rule = all_rules().front();
  for (std::uint64_t number = 1; number <= 100; ++number) {
    Annotation annotation;
    annotation.number = number;
    annotation.rule = rule;
    exporter.on_timeline({1, Time{1ms}, annotation});
  }
  exporter.on_timeline({1, Time{2ms}, AnnotationFolded{.number = 100, .under = "near"}});
  exporter.on_timeline({1, Time{2ms}, AnnotationFolded{.number = 1, .under = "far"}});
  exporter.end_run();
  exporter.finish();
  CHECK(output.text().find(R"("folds": [
    {"number":1,"folded_under":"far"}])") != std::string::npos);
  CHECK(output.text().find(R"("folded_under":"near"}])") != std::string::npos);
}

TEST_CASE("what cannot be spooled is said") {
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  setenv("TMPDIR", "/nonexistent", 1);
  StringOutput output;
  JsonExporter exporter({}, output, 10);
  exporter.begin_run(story_run());
  Story origin(1, exporter);
  tell_origin(origin, 60s);
  exporter.end_run();
  exporter.finish();
  REQUIRE(exporter.fault());
  CHECK(exporter.fault()->message.find("/nonexistent") != std::string::npos);
  CHECK(exporter.fault()->message.find("TMPDIR") != std::string::npos);
  before == nullptr ? unsetenv("TMPDIR") : setenv("TMPDIR", kept.c_str(), 1);
}

/// "1:text" per piece, a resumed one with "~".
class Pieces : public SessionRelease {
 public:
  void release(SessionId session, std::string_view text, Piece piece) override {
    if (!log.empty()) log += ' ';
    if (piece == Piece::kResumed) log += '~';
    if (piece == Piece::kNext) log += '+';
    log += std::to_string(session) + ':' + std::string(text);
  }
  std::string log;
};

TEST_CASE("the first session passes, later ones wait for it") {
  Pieces pieces;
  SessionOrder order(Arrangement::kBySession, false, pieces);
  order.add(1, "a");
  order.add(2, "b");
  order.add(1, "c");
  CHECK(pieces.log == "1:a +1:c");
  order.add(3, "d");
  order.end(2);
  CHECK(pieces.log == "1:a +1:c");
  order.end(1);
  CHECK(pieces.log == "1:a +1:c 2:b 3:d");
  order.add(3, "e");
  CHECK(pieces.log == "1:a +1:c 2:b 3:d +3:e");
}

TEST_CASE("beyond the cap, sessions that have ended go first") {
  Pieces pieces;
  SessionOrder order(Arrangement::kBySession, false, pieces, 4);
  order.add(1, "a");
  order.add(2, "bb");
  order.add(3, "ccc");
  // Nothing has ended: all that is held goes out, and the first session goes on.
  CHECK(pieces.log == "1:a 2:bb 3:ccc");
  order.add(1, "A");
  CHECK(pieces.log == "1:a 2:bb 3:ccc ~1:A");
  order.add(2, "BB");
  order.end(2);
  order.add(3, "CCC");
  CHECK(pieces.log == "1:a 2:bb 3:ccc ~1:A ~2:BB");
  order.end_all();
  CHECK(pieces.log == "1:a 2:bb 3:ccc ~1:A ~2:BB ~3:CCC");
}

TEST_CASE("what nobody wants is held until it ends, and forgotten") {
  Pieces pieces;
  SessionOrder order(Arrangement::kByTime, true, pieces, 100);
  order.add(1, "a");
  order.add(2, "b");
  order.want(2);
  CHECK(pieces.log == "2:b");
  order.add(2, "c");
  order.add(1, "d");
  order.end(1);
  order.end(2);
  order.end_all();
  CHECK(pieces.log == "2:b +2:c");
}

TEST_CASE("rather too much is shown than held beyond the cap") {
  Pieces pieces;
  SessionOrder order(Arrangement::kByTime, true, pieces, 4);
  order.add(1, "aaa");
  order.add(1, "bbb");
  CHECK(pieces.log == "1:aaabbb");
}

}  // namespace
}  // namespace smtpscope
