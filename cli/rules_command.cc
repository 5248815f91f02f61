
#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/file_output.h"
#include "cli/rule_listing.h"
#include "cli/subcommand.h"
#include "timeline/rule.h"

namespace smtpscope {
namespace {

struct RulesOptions {
  std::string category;
  std::string severity;
  bool json = false;
  bool markdown = false;
  bool thresholds = false;
};

std::vector<const Rule*> selected(const RulesOptions& options) {
  std::vector<const Rule*> rules;
  for (const Rule* rule : all_rules()) {
    if (!options.category.empty() && to_string(rule->category) != options.category) continue;
    if (!options.severity.empty() && to_string(rule->severity) != options.severity) continue;
    rules.push_back(rule);
  }
  return rules;
}

int run(const RulesOptions& options) {
  const std::vector<const Rule*> rules = selected(options);
  std::string text;
  if (options.json) {
    text = rules_as_json(rules);
  } else if (options.markdown) {
    text = rules_as_markdown(rules);
  } else if (options.thresholds) {
    text = thresholds_as_table(rules);
  } else {
    text = rules_as_table(rules);
  }
  return print(text);
}

std::function<int()> declare_rules(CLI::App& app) {
  auto options = std::make_shared<RulesOptions>();
  app.add_option("--category", options->category, "Only rules of this category")
      ->type_name("CATEGORY")
      ->default_str("all")
      ->check(CLI::IsMember(category_names()));
  app.add_option("--severity", options->severity, "Only rules with this usual severity")
      ->default_str("all")
      ->check(CLI::IsMember(severity_names()));
  CLI::Option* json = app.add_flag("--json", options->json, "As a JSON array, with all words");
  CLI::Option* markdown =
      app.add_flag("--markdown", options->markdown, "As the page docs/rules.md")->excludes(json);
  app.add_flag("--thresholds", options->thresholds,
               "List the thresholds that --set changes, with their defaults")
      ->excludes(json)
      ->excludes(markdown);
  return [options] { return run(*options); };
}

}  // namespace

const Subcommand kRulesCommand = {
    .name = "rules",
    .description = "List the rules that annotate a timeline",
    .examples =
        "  smtpscope rules\n"
        "  smtpscope rules --category timing\n"
        "  smtpscope rules --thresholds\n"
        "  smtpscope rules --json | jq -r '.[].id'\n",
    .declare = declare_rules,
};

}  // namespace smtpscope
