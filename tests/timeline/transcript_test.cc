// Runs every transcript of tests/timeline/transcripts; the README there tells the format.

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "capture/sanitizer.h"
#include "tests/catch.h"
#include "tests/timeline/expectations.h"
#include "tests/timeline/replay.h"
#include "timeline/rule.h"

namespace smtpscope::test {
namespace {

/// The whole script, what is wrong with it, and what came out.
std::string report(const Transcript& transcript, const std::vector<std::string>& wrong,
                   const TimelineDump& got) {
  std::string text = fmt::format("\n==== {}\n", transcript.name);
  std::istringstream lines(transcript.source);
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const std::string mark = fmt::format("line {}: ", number);
    const bool bad =
        std::ranges::any_of(wrong, [&](const std::string& one) { return one.starts_with(mark); });
    text += fmt::format("{} {:3}  {}\n", bad ? "=>" : "  ", number, line);
  }
  text += "---- wrong\n";
  for (const std::string& one : wrong) text += "  " + one + "\n";
  text += "---- got\n" + got.text();
  return text;
}

std::vector<std::string> sorted_findings(const TimelineDump& dump) {
  std::vector<std::string> findings;
  for (const TimelineDump::Line& line : dump.lines()) {
    if (!line.annotation) continue;
    // Without its number: which of two findings of one instant comes first is not fixed.
    findings.push_back(line.text.substr(line.text.find(' ')));
  }
  std::sort(findings.begin(), findings.end());
  return findings;
}

TEST_CASE("transcripts say what they must") {
  const std::vector<std::string> files = transcript_files();
  REQUIRE(!files.empty());
  for (const std::string& file : files) {
    Transcript transcript = read_transcript(file);
    transcript.settle_views();
    INFO(transcript.name);
    REQUIRE(transcript.error == "");
    for (const Expectation& one : transcript.expectations) {
      for (const std::string& id : {one.rule, one.headline}) {
        INFO("line " << one.line << ": no rule is called " << id);
        CHECK((id.empty() || find_rule(id) != nullptr));
      }
    }
    const TimelineDump got = replay(transcript);
    const std::vector<std::string> wrong = differences(transcript, got);
    if (!wrong.empty()) FAIL_CHECK(report(transcript, wrong, got));
  }
}

TEST_CASE("a saved session has the timeline that it had live") {
  constexpr std::uint64_t kNothing = 0;
  for (const std::string& file : transcript_files()) {
    Transcript transcript = read_transcript(file);
    transcript.settle_views();
    INFO(transcript.name);
    const std::string direct = replay(transcript).text();
    for (const std::uint64_t octets : {SanitizerPolicy::kEverything, kNothing}) {
      const LiveAndSaved both = replay_through_capture(transcript, octets);
      CHECK(both.live.text() == direct);
      CHECK(both.saved.text() == direct);
    }
  }
}

TEST_CASE("how octets are cut into reads changes no finding") {
  for (const std::string& file : transcript_files()) {
    Transcript transcript = read_transcript(file);
    transcript.settle_views();
    INFO(transcript.name);
    CHECK(sorted_findings(replay_octet_by_octet(transcript)) ==
          sorted_findings(replay_without_reads(transcript)));
  }
}

TEST_CASE("every rule has a transcript where it fires and one where it stays quiet") {
  std::vector<Transcript> transcripts;
  for (const std::string& file : transcript_files()) transcripts.push_back(read_transcript(file));
  for (const Rule* rule : all_rules()) {
    bool fires = false;
    bool quiet = false;
    for (const Transcript& transcript : transcripts) {
      for (const Expectation& one : transcript.expectations) {
        if (one.rule != rule->id) continue;
        // What needs a second trace cannot fire in a transcript of one; it must say so instead.
        const bool second_trace = (rule->needs & kNeedsSecondTrace) != 0;
        fires |= one.kind == Expectation::Kind::kFires || one.kind == Expectation::Kind::kFolded ||
                 (one.kind == Expectation::Kind::kNotEvaluated && second_trace);
        quiet |= one.kind == Expectation::Kind::kNever;
      }
    }
    INFO(rule->id << (fires ? "" : " fires in no transcript") << (quiet ? "" : ", quiet in none"));
    CHECK((fires && quiet));
  }
}

}  // namespace
}  // namespace smtpscope::test
