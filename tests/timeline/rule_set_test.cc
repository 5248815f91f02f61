#include "timeline/rule_set.h"

#include <algorithm>

#include "tests/catch.h"

namespace smtpscope {
namespace {

const Rule& rule(std::string_view id) {
  const Rule* found = find_rule(id);
  REQUIRE(found != nullptr);
  return *found;
}

bool asks(const RuleSet& rules, RuleTrigger trigger, std::size_t slot, bool marked,
          std::string_view id) {
  const auto asked = rules.ask(trigger, slot, marked);
  return std::ranges::find(asked, &rule(id)) != asked.end();
}

TEST_CASE("rules are switched off and on by id, category, and all together") {
  RuleSet rules;
  CHECK(rules.off().empty());
  REQUIRE(rules.switch_off("rset-repeated").ok());
  CHECK(!rules.is_on(rule("rset-repeated")));
  CHECK(rules.is_on(rule("rset-noop")));
  REQUIRE(rules.switch_off("timing").ok());
  CHECK(!rules.is_on(rule("gap-client")));
  REQUIRE(rules.switch_on("gap-client").ok());
  CHECK(rules.is_on(rule("gap-client")));
  CHECK(!rules.is_on(rule("gap-server")));
  REQUIRE(rules.switch_off("all").ok());
  CHECK(rules.off().size() == all_rules().size());
}

TEST_CASE("a rule that is off is not asked") {
  RuleSet rules;
  CHECK(asks(rules, kOnSilence, kNothingSlot, false, "gap-client"));
  REQUIRE(rules.switch_off("gap-client").ok());
  CHECK(!asks(rules, kOnSilence, kNothingSlot, false, "gap-client"));
  CHECK(asks(rules, kOnSilence, kNothingSlot, false, "gap-server"));
}

TEST_CASE("a rule is asked about what it wants only") {
  const RuleSet rules;
  for (const Rule* each : all_rules()) {
    for (std::size_t slot = 0; slot < kVerbSlots; ++slot) {
      INFO(each->id << " slot " << slot);
      const bool wants_verb = (each->verbs >> slot & 1) != 0;
      for (const bool marked : {false, true}) {
        CHECK(asks(rules, kOnCommand, slot, marked, each->id) ==
              ((each->triggers & kOnCommand) != 0 && wants_verb &&
               (marked || !each->odd_lines_only)));
        CHECK(asks(rules, kOnReply, slot, marked, each->id) ==
              ((each->triggers & kOnReply) != 0 && wants_verb && (marked || !each->refusals_only)));
      }
    }
  }
}

TEST_CASE("what is not known is told with what to do") {
  RuleSet rules;
  const auto off = rules.switch_off("gap");
  REQUIRE(!off.ok());
  CHECK(off.error().message.find("'gap' is neither a rule nor a category") != std::string::npos);
  CHECK(rules.set("gap.note=2s").ok());
  CHECK(rules.thresholds().duration(Threshold::kGapNote) == std::chrono::seconds(2));
  for (const std::string_view bad : {"gap.note", "gap=2s", "=2s", ""}) {
    INFO(bad);
    const auto set = rules.set(bad);
    REQUIRE(!set.ok());
    CHECK(set.error().message.find("RULE.key=value") != std::string::npos);
  }
  const auto value = rules.set("gap.note=soon");
  REQUIRE(!value.ok());
  CHECK(value.error().message ==
        "cannot set gap.note to 'soon': it takes a time such as 2s, 500ms or 5m; its standard "
        "value is 950ms");
}

}  // namespace
}  // namespace smtpscope
