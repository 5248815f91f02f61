#include "cli/rule_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string_view>
#include <utility>

#include "cli/nearest_name.h"
#include "cli/reason_words.h"
#include "timeline/rule.h"

namespace smtpscope {
namespace {

/// What may stand behind --off and --on, for a hint at what was meant.
std::vector<std::string_view> names_of_rules() {
  std::vector<std::string_view> names = {"all"};
  for (std::size_t i = 0; i < kCategories; ++i) {
    names.push_back(to_string(static_cast<Category>(i)));
  }
  for (const Rule* rule : all_rules()) names.push_back(rule->id);
  return names;
}

Error with_hint(const Error& error, std::string_view typed,
                const std::vector<std::string_view>& names) {
  const std::string_view near = nearest_name(typed, names);
  if (near.empty()) return error;
  return {fmt::format("{}. Did you mean '{}'?", error.message, near)};
}

Error with_threshold_hint(const Error& error, std::string_view assignment) {
  const std::string_view name = assignment.substr(0, assignment.find('='));
  if (find_threshold(name) != nullptr) return error;
  std::vector<std::string> owned;
  for (const ThresholdKind& kind : all_thresholds()) owned.push_back(kind.name());
  return with_hint(error, name, {owned.begin(), owned.end()});
}

}  // namespace

void add_rule_options(CLI::App& app, RuleOptions& options) {
  app.option_defaults()->group("Rules");
  app.add_option("--gap", options.gap,
                 "Shortest silence to report; the same as --set gap.note=TIME")
      ->default_str("950ms")
      ->type_name("TIME");
  app.add_option("--set", options.set,
                 "A threshold of a rule, such as eod-reply-slow.notice=20s; 'smtpscope rules "
                 "--thresholds' lists them. May be repeated")
      ->default_str("none")
      ->type_name("RULE.KEY=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--off", options.off, "Rules to leave out: ids, categories, or all")
      ->default_str("none")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("RULE[,RULE...]");
  app.add_option("--on", options.on, "Rules to apply although --off names their category or all")
      ->default_str("none")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("RULE[,RULE...]");
  app.add_option("--reasons", options.reasons,
                 "Further phrases and codes by which servers say why they refuse")
      ->default_str("none")
      ->type_name("FILE");
}

Result<RuleSet> make_rules(const RuleOptions& options) {
  RuleSet rules;
  if (!options.reasons.empty()) {
    Result<ReasonTable> reasons = read_reasons(options.reasons);
    if (!reasons) return reasons.error();
    rules.set_reasons(std::make_shared<const ReasonTable>(std::move(reasons.value())));
  }
  std::vector<std::string> assignments = options.set;
  if (!options.gap.empty()) assignments.insert(assignments.begin(), "gap.note=" + options.gap);
  for (const std::string& assignment : assignments) {
    if (const auto done = rules.set(assignment); !done) {
      return with_threshold_hint(done.error(), assignment);
    }
  }
  for (const std::string& name : options.off) {
    if (const auto done = rules.switch_off(name); !done) {
      return with_hint(done.error(), name, names_of_rules());
    }
  }
  for (const std::string& name : options.on) {
    if (const auto done = rules.switch_on(name); !done) {
      return with_hint(done.error(), name, names_of_rules());
    }
  }
  return rules;
}

}  // namespace smtpscope
