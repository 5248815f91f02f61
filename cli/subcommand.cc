#include "cli/subcommand.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "cli/nearest_name.h"
#include "cli/service_manager.h"
#include "exporters/escape.h"

namespace smtpscope {

std::span<const Subcommand* const> all_subcommands() {
  static constexpr std::array kAll = {
      &kProxyCommand,    &kShowCommand,        &kViewCommand,     &kDiffCommand,
      &kRedactCommand,   &kReportCommand,      &kDemoCommand,     &kRulesCommand,
      &kExplainCommand,  &kReasonCommand,      &kTroublesCommand, &kFormatsCommand,
      &kScenarioCommand, &kCheckClientCommand, &kWhatIfCommand,   &kBisectCommand,
      &kReplayCommand,   &kCaCommand,          &kSetupCommand,    &kHelpCommand,
      &kManCommand,      &kCompletionCommand,  &kRecordsCommand,
  };
  return kAll;
}

const Subcommand* find_subcommand(std::string_view name) {
  const auto all = all_subcommands();
  const auto found =
      std::ranges::find_if(all, [&](const Subcommand* each) { return each->name == name; });
  return found == all.end() ? nullptr : *found;
}

int unknown_subcommand(std::string_view typed) {
  std::vector<std::string_view> names;
  for (const Subcommand* command : all_subcommands()) names.push_back(command->name);
  const std::string_view near = nearest_name(typed, names);
  if (!near.empty()) {
    return fail(fmt::format("there is no subcommand '{}'. Did you mean '{}'?", typed, near));
  }
  return fail(
      fmt::format("there is no subcommand '{}'; they are: {}", typed, fmt::join(names, ", ")));
}

int fail(std::string_view message) {
  // A message may name a file or quote a reply; whoever chose those must not reach the terminal.
  const std::string line = fmt::format("{}smtpscope: {}\n", stderr_is_journal() ? "<3>" : "",
                                       escape(message, Wording::kOurs, Charset::kUtf8));
  std::fputs(line.c_str(), stderr);
  return kExitFailure;
}

}  // namespace smtpscope
