#include "timeline/precedence.h"

#include <set>
#include <string>

#include "tests/catch.h"
#include "timeline/rules/catalogue.h"

namespace smtpscope {
namespace {

TEST_CASE("the ids of rules are unique, and found") {
  std::set<std::string_view> ids;
  for (const Rule* rule : all_rules()) {
    INFO(rule->id);
    CHECK(ids.insert(rule->id).second);
    CHECK(find_rule(rule->id) == rule);
    CHECK(rule->triggers != 0);
    CHECK(rule->triggers < 1 << kRuleTriggers);
  }
  CHECK(find_rule("no-such-rule") == nullptr);
}

TEST_CASE("no two rows of the precedence table are the same, and none folds in a circle") {
  std::set<std::string> seen;
  for (const Precedence& row : all_precedences()) {
    const std::string pair = std::string(row.headline) + " " + std::string(row.folded);
    INFO(pair);
    CHECK(seen.insert(pair + " " + std::string(row.variant)).second);
    if (row.headline == row.folded) {
      CHECK(!row.variant.empty());
    } else {
      const std::string back = std::string(row.folded) + " " + std::string(row.headline) + " ";
      CHECK(seen.count(back) == 0);
    }
  }
}

TEST_CASE("a headline that names entries folds what is about them, and nothing else") {
  // tarpit-pattern, which comes at the session's end, folds the silences before slow replies.
  const std::vector<std::uint64_t> named = {4, 8};
  const FoldSubject headline{.rule = &kTarpitPattern, .place = 20, .entries = named};
  const PrecedenceTable& table = PrecedenceTable::standard();
  CHECK(table.folds(headline, {.rule = &kGapServer, .place = 8}, {}));
  CHECK(!table.folds(headline, {.rule = &kGapServer, .place = 6}, {}));
}

}  // namespace
}  // namespace smtpscope
