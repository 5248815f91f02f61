// Every row of the precedence table has a transcript that fails without it.

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/timeline/expectations.h"
#include "tests/timeline/replay.h"
#include "timeline/precedence.h"

namespace smtpscope::test {
namespace {

bool speaks_of(const Transcript& transcript, const Precedence& row) {
  return std::ranges::any_of(transcript.expectations, [&](const Expectation& one) {
    return one.kind == Expectation::Kind::kFolded && one.rule == row.folded &&
           one.headline == row.headline;
  });
}

/// The transcript gets what it asks for with these rows.
bool passes(const Transcript& transcript, std::span<const Precedence> rows) {
  const PrecedenceTable table(rows);
  Transcript own = parse_transcript(transcript.name, transcript.source);
  own.settle_views();
  own.rules.set(table);
  return differences(own, replay(own)).empty();
}

/// With the row the transcript passes, without it fails.
bool misses(const Transcript& transcript, const Precedence& row) {
  std::vector<Precedence> others;
  for (const Precedence& each : all_precedences()) {
    if (&each != &row) others.push_back(each);
  }
  return passes(transcript, all_precedences()) && !passes(transcript, others);
}

TEST_CASE("each row of the precedence table is missed by a transcript") {
  std::vector<Transcript> transcripts;
  for (const std::string& file : transcript_files()) transcripts.push_back(read_transcript(file));
  std::string unproven;
  for (const Precedence& row : all_precedences()) {
    const bool proven = std::ranges::any_of(transcripts, [&](const Transcript& each) {
      return speaks_of(each, row) && misses(each, row);
    });
    if (proven) continue;
    unproven += fmt::format("  {} under {} {}\n", row.folded, row.headline, row.variant);
  }
  INFO("no transcript has \"folded:\" and fails without these rows:\n" << unproven);
  CHECK(unproven.empty());
}

}  // namespace
}  // namespace smtpscope::test
