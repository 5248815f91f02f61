#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "exporters/exporter.h"
#include "tests/catch.h"
#include "tests/exporters/golden.h"
#include "tests/exporters/story.h"
#include "timeline/rules/catalogue.h"

// What the text timeline leaves to the verdict, and what it must not leave out.

namespace smtpscope {
namespace {

using namespace std::chrono_literals;

/// A session that says goodbye; `tell` tells what comes behind the 221.
template <typename Tell>
std::string text_of(const ExporterOptions& options, const Tell& tell) {
  StringOutput output;
  const std::unique_ptr<Exporter> exporter = find_exporter("text")->make(options, output);
  exporter->begin_run(story_run());
  Story story(1, *exporter);
  story.at(0ms).started("192.0.2.1:1", "mx.example:25");
  story.at(1ms).command("QUIT");
  story.at(2ms).reply({"221 bye"});
  tell(story);
  exporter->end_run();
  exporter->finish();
  return output.text();
}

void close(Story& story, Side from, Duration since = {}) {
  Closed closed;
  closed.from = from;
  story.event(TimelineClosed{closed, since});
}

void end(Story& story, std::vector<VerdictLine> verdict) {
  SessionTotals totals;
  totals.ended = Time{9ms};
  story.ended(totals, verdict);
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("both closes behind QUIT take one line") {
  const std::string text = text_of({}, [](Story& story) {
    close(story.at(3ms), Side::kServer, 1ms);
    close(story.at(5ms), Side::kClient, 2ms);
    end(story, {});
  });
  CHECK(holds(text, "S  ── server closes, client 2 ms later\n"));
  CHECK_FALSE(holds(text, "client closes"));
}

TEST_CASE("a close behind QUIT that stays the only one is told") {
  SECTION("at the session's end") {
    const std::string text = text_of({}, [](Story& story) {
      close(story.at(3ms), Side::kServer, 1ms);
      end(story, {});
    });
    CHECK(holds(text, "S  ── server closes\n"));
  }
  SECTION("at the trace's end") {
    const std::string text =
        text_of({}, [](Story& story) { close(story.at(3ms), Side::kServer, 1ms); });
    CHECK(holds(text, "S  ── server closes\n"));
  }
  SECTION("before what follows, with its own time") {
    const std::string text = text_of({}, [](Story& story) {
      close(story.at(3ms), Side::kServer, 1ms);
      story.at(7ms).silence(4ms, Party::kClient, kOwedClose);
      close(story.at(7ms), Side::kClient, 4ms);
      end(story, {});
    });
    CHECK(holds(text, "+0.003    1 ms  S  ── server closes\n"));
    CHECK(text.find("server closes") < text.find("client silent"));
    CHECK(text.find("client silent") < text.find("client closes"));
  }
}

TEST_CASE("a reset behind QUIT has a line of its own") {
  const std::string text = text_of({}, [](Story& story) {
    close(story.at(3ms), Side::kServer, 1ms);
    Closed reset;
    reset.from = Side::kClient;
    reset.kind = CloseKind::kReset;
    story.at(4ms).event(TimelineClosed{reset, 1ms});
    end(story, {});
  });
  CHECK(holds(text, "S  ── server closes\n"));
  CHECK(holds(text, "C  ── client resets the connection\n"));
}

TEST_CASE("a finding of the session's end is told once, by the verdict or by itself") {
  const auto tell = [](std::string_view verdict) {
    return text_of({}, [&](Story& story) {
      story.at(4ms).annotation(kInterceptionSuspected, "something may be speaking", {1});
      end(story, {{VerdictKind::kLead, "no message"}, {VerdictKind::kProof, std::string(verdict)}});
    });
  };
  CHECK_FALSE(holds(tell("findings: interception-suspected"), "▲ warning interception-suspected"));
  CHECK(holds(tell("findings: none"),
              "▲ warning interception-suspected: something may be speaking\n"));
}

TEST_CASE("a finding is cut behind a clause, and whole where there is no width") {
  const auto tell = [](const ExporterOptions& options) {
    return text_of(options, [](Story& story) {
      story.at(4ms).annotation(
          kRsetRepeated, "RSET sent 2 times in a row, 1.001 s apart: no effect; a remark of length",
          {1});
      end(story, {});
    });
  };
  ExporterOptions options;
  CHECK(holds(tell(options), "apart: no effect; a remark of length\n"));
  options.width = 95;
  CHECK(holds(tell(options),
              "· notice rset-repeated: RSET sent 2 times in a row, 1.001 s apart …\n"));
  // Where not even the first clause fits a line, it is wrapped.
  options.width = 70;
  CHECK(holds(tell(options), "apart: no effect …\n"));
  options.verbose = true;
  CHECK(holds(tell(options), "length"));
}

TEST_CASE("the finding that tells how a transaction ended tells it alone") {
  const auto tell = [](const ExporterOptions& options, bool found) {
    return text_of(options, [&](Story& story) {
      if (found) {
        Annotation aborted;
        aborted.number = 1;
        aborted.rule = &kTxnAbortedRset;
        aborted.severity = Severity::kNotice;
        aborted.text = "1 recipient dropped";
        aborted.transaction = 1;
        story.at(4ms).event(aborted);
      }
      Transaction transaction;
      transaction.number = 1;
      transaction.last_entry = 2;
      transaction.outcome = Outcome::kAborted;
      transaction.aborted_by = AbortedBy::kRset;
      story.event(TransactionEnded{&transaction});
      end(story, {});
    });
  };
  ExporterOptions options;
  CHECK_FALSE(holds(tell(options, true), "transaction 1: aborted"));
  CHECK(holds(tell(options, false), "transaction 1: aborted by RSET"));
  options.verbose = true;
  CHECK(holds(tell(options, true), "transaction 1: aborted by RSET"));
}

}  // namespace
}  // namespace smtpscope
