// Holds the rules to what every rule must have, and to the catalogue that they were made from where
// it lies beside the repository.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/catch.h"
#include "timeline/precedence.h"
#include "timeline/rule.h"
#include "timeline/thresholds.h"

namespace smtpscope {
namespace {

bool is_id(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

/// Paragraphs or entries separated by single line feeds, none of them empty or padded.
bool is_list(std::string_view text) {
  while (true) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view one = text.substr(0, end);
    if (one.empty() || one.front() == ' ' || one.back() == ' ') return false;
    if (end == text.size()) return true;
    text.remove_prefix(end + 1);
  }
}

/// Where the catalogue's machine-readable form lies; empty when it is not here.
std::filesystem::path catalogue_file() {
  const char* folder = std::getenv("SMTPSCOPE_SHARED");
  const std::filesystem::path shared =
      folder != nullptr ? folder : SMTPSCOPE_SOURCE_DIR "/../shared";
  const std::filesystem::path file = shared / "design" / "rules.json";
  return std::filesystem::exists(file) ? file : std::filesystem::path();
}

TEST_CASE("every rule has an id, its words and a moment when it is asked") {
  std::set<std::string_view> ids;
  for (const Rule* rule : all_rules()) {
    INFO(rule->id);
    CHECK(is_id(rule->id));
    CHECK(ids.insert(rule->id).second);
    CHECK(!rule->title.empty());
    CHECK(!rule->title.ends_with('.'));
    CHECK(is_list(rule->means));
    CHECK(is_list(rule->causes));
    CHECK(is_list(rule->tell_apart));
    CHECK(is_list(rule->advice));
    CHECK((rule->caveats.empty() || is_list(rule->caveats)));
    CHECK(!rule->reference.empty());
    CHECK(rule->triggers != 0);
    CHECK(rule->verbs != 0);
    CHECK(rule->evaluate != nullptr);
  }
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

TEST_CASE("the rules are those of the catalogue") {
  const std::filesystem::path file = catalogue_file();
  if (file.empty()) {
    WARN("SKIPPED: no catalogue beside the repository (set SMTPSCOPE_SHARED to its folder)");
    std::cout << "skipped: the rules were not compared with the catalogue, which is not here\n";
    return;
  }
  std::ifstream stream(file);
  const nlohmann::json catalogue = nlohmann::json::parse(stream);
  REQUIRE(catalogue.is_array());
  std::map<std::string, const nlohmann::json*, std::less<>> by_id;
  for (const nlohmann::json& one : catalogue) by_id.emplace(one.at("id"), &one);

  for (const Rule* rule : all_rules()) {
    INFO(rule->id);
    const auto found = by_id.find(rule->id);
    REQUIRE(found != by_id.end());
    const nlohmann::json& one = *found->second;
    CHECK(one.at("category") == to_string(rule->category));
    CHECK(one.at("severity") == to_string(rule->severity));
    CHECK(one.at("fault") == to_string(rule->fault));
  }

  // In the order of the catalogue: findings of one moment are shown in it.
  std::vector<std::string> here;
  for (const Rule* rule : all_rules()) here.emplace_back(rule->id);
  std::vector<std::string> there;
  for (const nlohmann::json& one : catalogue) {
    if (find_rule(one.at("id").get<std::string>()) != nullptr) there.push_back(one.at("id"));
  }
  CHECK(here == there);
}

}  // namespace
}  // namespace smtpscope
