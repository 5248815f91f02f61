#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/file_output.h"
#include "cli/nearest_name.h"
#include "cli/rule_words.h"
#include "cli/subcommand.h"
#include "cli/terminal.h"
#include "timeline/rule.h"

namespace smtpscope {
namespace {

/// Words are hard to read across a whole wide screen.
constexpr std::size_t kReadingWidth = 88;

int unknown_rule(std::string_view typed) {
  std::vector<std::string_view> ids;
  for (const Rule* rule : all_rules()) ids.push_back(rule->id);
  const std::string_view near = nearest_name(typed, ids);
  if (!near.empty()) {
    return fail(fmt::format("there is no rule '{}'. Did you mean '{}'?", typed, near));
  }
  return fail(fmt::format("there is no rule '{}'; 'smtpscope rules' lists them all", typed));
}

int run(const std::string& id) {
  const Rule* rule = find_rule(id);
  if (rule == nullptr) return unknown_rule(id);
  const std::size_t width = terminal_width(STDOUT_FILENO);
  return print(explain_rule(*rule, width == 0 ? kReadingWidth : std::min(width, kReadingWidth)));
}

std::function<int()> declare_explain(CLI::App& app) {
  auto id = std::make_shared<std::string>();
  app.add_option("RULE", *id, "The id of a rule, as the timeline shows it")->required();
  return [id] { return run(*id); };
}

}  // namespace

const Subcommand kExplainCommand = {
    .name = "explain",
    .description = "Tell what an annotation means, its likely causes, and what to do",
    .examples = "  smtpscope explain txn-aborted-rset\n",
    .declare = declare_explain,
};

}  // namespace smtpscope
