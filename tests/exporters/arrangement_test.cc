#include <chrono>
#include <memory>
#include <string>

#include "exporters/exporter.h"
#include "exporters/session_order.h"
#include "tests/catch.h"
#include "tests/exporters/golden.h"
#include "tests/exporters/story.h"

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
    if (kind.octets) continue;  // packets_test has those
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
