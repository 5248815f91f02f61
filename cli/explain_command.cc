#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/file_output.h"
#include "cli/nearest_name.h"
#include "cli/rule_listing.h"
#include "cli/subcommand.h"
#include "cli/terminal.h"
#include "cli/trouble_words.h"
#include "timeline/causes/cause.h"
#include "timeline/reasons/reply_reason.h"
#include "timeline/rule.h"

namespace smtpscope {
namespace {

int unknown_id(std::string_view typed) {
  std::vector<std::string_view> ids;
  for (const Rule* rule : all_rules()) ids.push_back(rule->id);
  for (const Cause* cause : all_causes()) ids.push_back(cause->id);
  for (std::size_t i = 0; i < kReplyReasons; ++i) {
    ids.push_back(to_string(static_cast<ReplyReason>(i)));
  }
  const std::string_view near = nearest_name(typed, ids);
  if (!near.empty()) {
    return fail(fmt::format("nothing is called '{}'. Did you mean '{}'?", typed, near));
  }
  return fail(
      fmt::format("nothing is called '{}'; 'smtpscope rules' lists the rules, 'smtpscope troubles' "
                  "causes and reasons",
                  typed));
}

int run(const std::string& id) {
  const std::size_t width = reading_width(STDOUT_FILENO);
  if (const Rule* rule = find_rule(id)) return print(explain_rule(*rule, width));
  for (const Trouble& trouble : all_troubles()) {
    if (trouble.id == id) return print(trouble_text(trouble, width));
  }
  return unknown_id(id);
}

std::function<int()> declare_explain(CLI::App& app) {
  auto id = std::make_shared<std::string>();
  app.add_option("RULE", *id, "Id of a rule, a cause or a reason, as the timeline shows it")
      ->required();
  return [id] { return run(*id); };
}

}  // namespace

const Subcommand kExplainCommand = {
    .name = "explain",
    .description = "Explain a rule, a cause or a reason: what it means, likely causes, what to do",
    .examples =
        "  smtpscope explain txn-aborted-rset\n"
        "  smtpscope explain greylisted\n",
    .declare = declare_explain,
};

}  // namespace smtpscope
