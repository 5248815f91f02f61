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

bool asks(const RuleSet& rules, RuleTrigger trigger, std::size_t slot, std::uint8_t marks,
          std::string_view id) {
  const RuleSet::Candidates& candidates = rules.candidates(trigger, slot);
  const bool always = std::ranges::find(candidates.always, &rule(id)) != candidates.always.end();
  const bool asked = std::ranges::any_of(candidates.all, [&](const auto& candidate) {
    return candidate.rule == &rule(id) && candidate.wants(marks);
  });
  if (marks == 0) CHECK(asked == always);
  return asked;
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
  CHECK(asks(rules, kOnSilence, kNothingSlot, 0, "gap-client"));
  REQUIRE(rules.switch_off("gap-client").ok());
  CHECK(!asks(rules, kOnSilence, kNothingSlot, 0, "gap-client"));
  CHECK(asks(rules, kOnSilence, kNothingSlot, 0, "gap-server"));
}

TEST_CASE("a rule is asked about the commands and replies it wants only") {
  constexpr std::uint8_t kAllMarks = 0xff;
  const RuleSet rules;
  for (const Rule* each : all_rules()) {
    const VerbSet replies = each->replies_to != 0 ? each->replies_to : each->verbs;
    for (std::size_t slot = 0; slot < kVerbSlots; ++slot) {
      INFO(each->id << " slot " << slot);
      CHECK(asks(rules, kOnCommand, slot, kAllMarks, each->id) ==
            ((each->triggers & kOnCommand) != 0 && (each->verbs >> slot & 1) != 0));
      CHECK(asks(rules, kOnReply, slot, kAllMarks, each->id) ==
            ((each->triggers & kOnReply) != 0 && (replies >> slot & 1) != 0));
    }
  }
}

TEST_CASE("a rule is asked only with one of the marks it wants, where there can be one") {
  const RuleSet rules;
  const auto rcpt = static_cast<std::size_t>(Verb::kRcpt);
  CHECK(!asks(rules, kOnReply, rcpt, 0, "too-many-errors"));
  CHECK(!asks(rules, kOnReply, rcpt, kOddLine | kPipelined, "too-many-errors"));
  CHECK(asks(rules, kOnReply, rcpt, kOddLine | kRefusal, "too-many-errors"));
  // It wants odd lines, which mail data has not.
  CHECK(!asks(rules, kOnCommand, rcpt, 0, "nonprintable-octets"));
  CHECK(asks(rules, kOnData, kNothingSlot, 0, "nonprintable-octets"));
  // Refusals are no matter of commands.
  CHECK(asks(rules, kOnCommand, static_cast<std::size_t>(Verb::kUnknown), 0, "unknown-command"));
  CHECK(!asks(rules, kOnReply, rcpt, 0, "unknown-command"));
  for (const Rule* each : all_rules()) {
    for (std::size_t bit = 0; bit < kRuleTriggers; ++bit) {
      const auto trigger = static_cast<RuleTrigger>(1 << bit);
      if ((each->triggers & trigger) == 0 || trigger == kOnCommand || trigger == kOnReply) continue;
      INFO(each->id << " trigger " << bit);
      CHECK(asks(rules, trigger, kNothingSlot, 0, each->id) ==
            ((each->only & possible_marks(trigger)) == 0));
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
