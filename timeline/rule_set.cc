#include "timeline/rule_set.h"

#include <fmt/format.h>

#include <algorithm>

#include "timeline/reasons/reason_table.h"

namespace smtpscope {

RuleSet::RuleSet() : on_(all_rules().size(), true) { make_table(); }

const ReasonTable& RuleSet::reasons() const {
  return reasons_ == nullptr ? ReasonTable::built_in() : *reasons_;
}

Result<Done> RuleSet::switch_off(std::string_view name) { return turn(name, false); }
Result<Done> RuleSet::switch_on(std::string_view name) { return turn(name, true); }

Result<Done> RuleSet::turn(std::string_view name, bool on) {
  bool known = false;
  for (std::size_t i = 0; i < on_.size(); ++i) {
    const Rule& rule = *all_rules()[i];
    if (name != "all" && name != rule.id && name != to_string(rule.category)) continue;
    on_[i] = on;
    known = true;
  }
  if (!known) {
    return Error{fmt::format(
        "'{}' is neither a rule nor a category of rules; 'smtpscope rules' lists them all", name)};
  }
  make_table();
  return Done{};
}

Result<Done> RuleSet::set(std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  const std::string_view name = assignment.substr(0, equals);
  const ThresholdKind* kind = find_threshold(name);
  if (equals == std::string_view::npos || kind == nullptr) {
    return Error{fmt::format(
        "cannot set '{}': write RULE.key=value; 'smtpscope rules --thresholds' lists them all",
        assignment)};
  }
  const std::string_view text = assignment.substr(equals + 1);
  const auto value = parse_threshold(kind->unit, text);
  if (!value) {
    constexpr std::array<std::string_view, 4> kWanted = {"a time such as 2s, 500ms or 5m",
                                                         "a whole number", "a number of octets",
                                                         "a percentage such as 50%"};
    return Error{fmt::format("cannot set {} to '{}': it takes {}; its standard value is {}", name,
                             text, kWanted[static_cast<std::size_t>(kind->unit)],
                             threshold_text(kind->unit, kind->standard))};
  }
  thresholds_.set(kind->threshold, *value);
  return Done{};
}

bool RuleSet::is_on(const Rule& rule) const {
  const auto rules = all_rules();
  const auto place = std::ranges::find(rules, &rule);
  return place != rules.end() && on_[static_cast<std::size_t>(place - rules.begin())];
}

std::vector<std::string_view> RuleSet::off() const {
  std::vector<std::string_view> ids;
  for (std::size_t i = 0; i < on_.size(); ++i) {
    if (!on_[i]) ids.push_back(all_rules()[i]->id);
  }
  return ids;
}

void RuleSet::make_table() {
  for (Candidates& candidates : table_) candidates = {};
  for (std::size_t i = 0; i < on_.size(); ++i) {
    if (on_[i]) put_into_table(*all_rules()[i]);
  }
}

void RuleSet::add(const Rule& rule) { put_into_table(rule); }

void RuleSet::put_into_table(const Rule& rule) {
  for (std::size_t bit = 0; bit < kRuleTriggers; ++bit) {
    const auto trigger = static_cast<RuleTrigger>(1 << bit);
    if ((rule.triggers & trigger) == 0) continue;
    const bool by_verb = trigger == kOnCommand || trigger == kOnReply;
    VerbSet wanted = kAnyVerb;
    if (trigger == kOnCommand) wanted = rule.verbs;
    if (trigger == kOnReply) wanted = rule.replies_to != 0 ? rule.replies_to : rule.verbs;
    const int only = rule.only & possible_marks(trigger);
    for (std::size_t slot = 0; slot < kVerbSlots; ++slot) {
      if (!by_verb && slot != kNothingSlot) continue;
      if ((wanted >> slot & 1) == 0) continue;
      Candidates& candidates = table_[bit * kVerbSlots + slot];
      candidates.all.push_back({&rule, static_cast<std::uint8_t>(only)});
      if (only == 0) candidates.always.push_back(&rule);
    }
  }
}

}  // namespace smtpscope
