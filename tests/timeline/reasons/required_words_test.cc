#include "timeline/reasons/required_words.h"

#include <re2/re2.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "timeline/reasons/built_in_reasons.h"
#include "timeline/reasons/pattern_options.h"
#include "timeline/reasons/reason_lines.h"
#include "timeline/reasons/reply_words.h"

namespace smtpscope::test {
namespace {

using Needs = std::vector<std::string>;

TEST_CASE("a pattern needs the longest words that it cannot match without") {
  CHECK(required_words("mailbox full") == Needs{"mailbox full"});
  CHECK(required_words("^mail( ?box)? unknown$") == Needs{" unknown"});
  CHECK(required_words("(no such|unknown) user") == Needs{"no such", "unknown"});
  CHECK(required_words("(a|unknown) user") == Needs{" user"});
  CHECK(required_words("does ?n[o']t exist") == Needs{"t exist"});
  CHECK(required_words("quota|over (the )?limit") == Needs{"quota", "over "});
  CHECK(required_words("colou?r") == Needs{"colo"});
  CHECK(required_words("go+al") == Needs{"go"});
  CHECK(required_words("ab{2,3}c{0}defg") == Needs{"defg"});
  CHECK(required_words(R"(\b5\.7\.1\b)") == Needs{"5.7.1"});
  CHECK(required_words("[^]x] sent") == Needs{" sent"});
  CHECK(required_words("(?:black|block) ?list") == Needs{"black", "block"});
}

TEST_CASE("of a pattern that may match without any word nothing is needed") {
  for (const char* pattern :
       {"", "[a-z]+", "spam|", "(spam)?", "(spam|[0-9]) ?", "(?i)spam", "[[:alpha:]]spam",
        R"(\x41spam)", R"(\Qspam\E)", "a{spam}", "spam)", "(spam", "[spam", "spam\\"}) {
    INFO(pattern);
    CHECK(required_words(pattern).empty());
  }
}

/// Any text that a pattern matches holds what it needs, and the patterns that are built in can be
/// compiled and are asked of few texts.
TEST_CASE("what the patterns of the table need stands in each reply that they match") {
  ReasonLines lines;
  REQUIRE(read_reason_lines(kBuiltInReasons, "reasons.txt", lines));
  std::ifstream file(std::string(SMTPSCOPE_SOURCE_DIR) + "/tests/timeline/reasons/replies.tsv");
  std::vector<std::string> replies;
  for (std::string line; std::getline(file, line);) replies.push_back(plain_words(line));
  REQUIRE(replies.size() > 100);

  std::size_t patterns = 0, always = 0, matches = 0;
  for (const ReasonLine& line : lines.lines) {
    if (line.kind != ReasonLine::Kind::kWords) continue;
    ++patterns;
    INFO(line.pattern);
    const RE2 expression(line.pattern, pattern_options());
    REQUIRE(expression.ok());
    const Needs needs = required_words(line.pattern);
    if (needs.empty()) ++always;
    for (const std::string& reply : replies) {
      if (!RE2::PartialMatch(reply, expression)) continue;
      ++matches;
      INFO(reply);
      CHECK((needs.empty() || std::any_of(needs.begin(), needs.end(), [&reply](const auto& word) {
               return reply.find(word) != std::string::npos;
             })));
    }
  }
  CHECK(matches > 100);
  CHECK(always * 20 < patterns);
}

}  // namespace
}  // namespace smtpscope::test
