#include "timeline/rule_set.h"

#include <fmt/format.h>

#include <algorithm>

namespace smtpscope {

RuleSet::RuleSet() : on_(all_rules().size(), true) { make_table(); }

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
  for (std::size_t bit = 0; bit < kRuleTriggers; ++bit) {
    const bool on_command = kOnCommand >> bit == 1;
    const bool on_reply = kOnReply >> bit == 1;
    for (std::size_t slot = 0; slot < kVerbSlots; ++slot) {
      for (const bool marked : {false, true}) {
        std::vector<const Rule*>& rules = table_[(bit * kVerbSlots + slot) * 2 + (marked ? 1 : 0)];
        rules.clear();
        for (std::size_t i = 0; i < on_.size(); ++i) {
          const Rule* rule = all_rules()[i];
          if (!on_[i] || (rule->triggers >> bit & 1) == 0) continue;
          if ((on_command || on_reply) && (rule->verbs >> slot & 1) == 0) continue;
          if (on_command && rule->odd_lines_only && !marked) continue;
          if (on_reply && rule->refusals_only && !marked) continue;
          rules.push_back(rule);
        }
      }
    }
  }
}

}  // namespace smtpscope
