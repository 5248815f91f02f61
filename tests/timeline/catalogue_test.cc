// Holds the rules to what every rule must have, and to what users know of them.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/catch.h"
#include "timeline/precedence.h"
#include "timeline/rule.h"
#include "timeline/rule_words.h"
#include "timeline/thresholds.h"

namespace smtpscope {
namespace {

bool is_id(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

/// The id of the rule that lives in `file`.
std::string id_of(const std::filesystem::path& file) {
  std::string id = file.stem().string();
  std::ranges::replace(id, '_', '-');
  return id;
}

TEST_CASE("every rule has an id and a moment when it is asked") {
  std::set<std::string_view> ids;
  for (const Rule* rule : all_rules()) {
    INFO(rule->id);
    CHECK(is_id(rule->id));
    CHECK(ids.insert(rule->id).second);
    CHECK(rule->triggers != 0);
    CHECK(rule->verbs != 0);
    CHECK(rule->evaluate != nullptr);
  }
}

TEST_CASE("every rule has a page with the sections of a rule, in their order") {
  for (const Rule* rule : all_rules()) {
    INFO(rule->id);
    const ProsePage& page = words_of(*rule);
    CHECK(page.id == rule->id);
    CHECK(!page.title.empty());
    CHECK(!page.title.ends_with('.'));
    CHECK(page.title.find('|') == std::string::npos);  // it stands in a table of docs/rules.md
    std::vector<std::string_view> wanted;
    std::vector<std::string_view> there;
    for (const RuleHeading& each : kRuleHeadings) {
      const bool has = !page.parts(each.heading).empty();
      if (has || each.heading != kCaveatsHeading) wanted.push_back(each.heading);
    }
    for (const ProseSection& section : page.sections) {
      INFO(section.heading);
      there.push_back(section.heading);
      const auto* known = std::ranges::find(kRuleHeadings, section.heading, &RuleHeading::heading);
      REQUIRE(known != kRuleHeadings.end());
      CHECK(section.numbered == known->numbered);
      CHECK(!section.parts.empty());
      for (const std::string& part : section.parts) CHECK(!part.empty());
    }
    CHECK(there == wanted);
  }
}

TEST_CASE("a rule is a file with a page beside it, and is in the list") {
  std::set<std::string> code;
  std::set<std::string> pages;
  const std::string definition = "\nconst Rule k";
  for (const auto& entry :
       std::filesystem::directory_iterator(SMTPSCOPE_SOURCE_DIR "/timeline/rules")) {
    const std::filesystem::path& file = entry.path();
    std::ifstream stream(file);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    if (file.extension() == ".cc" && text.find(definition) != std::string::npos) {
      code.insert(id_of(file));
    }
    if (file.extension() == ".md" && file.stem() != "README") pages.insert(id_of(file));
  }
  std::set<std::string> listed;
  for (const Rule* rule : all_rules()) listed.emplace(rule->id);
  CHECK(code == listed);
  CHECK(pages == listed);
}

TEST_CASE("a threshold has a good name and belongs to a rule") {
  std::set<std::string> names;
  for (const ThresholdKind& kind : all_thresholds()) {
    INFO(kind.name());
    CHECK(names.insert(kind.name()).second);
    CHECK(is_id(kind.rule));
    CHECK(is_id(kind.key));
    CHECK(!kind.words.empty());
    CHECK(kind.standard > 0);
    CHECK(parse_threshold(kind.unit, threshold_text(kind.unit, kind.standard)) == kind.standard);
    // "gap" is shared by several rules.
    CHECK((kind.rule == "gap" || find_rule(kind.rule) != nullptr));
  }
}

TEST_CASE("the precedence table names rules that exist") {
  for (const Precedence& row : all_precedences()) {
    INFO(row.headline << " over " << row.folded);
    CHECK(find_rule(row.headline) != nullptr);
    CHECK(find_rule(row.folded) != nullptr);
    CHECK((row.variant.empty() || is_id(row.variant)));
  }
}

TEST_CASE("the rules are those that users know") {
  std::ifstream known(SMTPSCOPE_SOURCE_DIR "/tests/timeline/rules.txt");
  REQUIRE(known.good());
  std::vector<std::string> wanted;
  for (std::string line; std::getline(known, line);) {
    if (!line.starts_with('#')) wanted.push_back(line);
  }
  std::vector<std::string> here;
  for (const Rule* rule : all_rules()) {
    here.push_back(fmt::format("{} {} {} {}", rule->id, to_string(rule->category),
                               to_string(rule->severity), to_string(rule->fault)));
  }
  CHECK(here == wanted);
}

}  // namespace
}  // namespace smtpscope
