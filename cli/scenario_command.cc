#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/counted.h"
#include "cli/file_output.h"
#include "cli/scenario_arguments.h"
#include "cli/subcommand.h"
#include "lab/grammar.h"
#include "lab/ready_scenarios.h"

namespace smtpscope {
namespace {

struct ScenarioCommandArguments {
  std::vector<std::string> check;
  std::string show;
  bool markdown = false;
};

int check(const std::vector<std::string>& files) {
  std::string said;
  bool fine = true;
  for (const std::string& file : files) {
    LabProgram program;
    if (const auto done = read_scenario(file, program); !done) {
      fail_for(done.error());
      fine = false;
      continue;
    }
    said += fmt::format("{}: {}\n", file, counted(program.lines.size(), "line"));
    for (const std::string& warning : program.warnings()) said += warning + "\n";
  }
  const int printed = print(said);
  return fine ? printed : kExitFailure;
}

int run(const ScenarioCommandArguments& arguments) {
  if (!arguments.check.empty()) return check(arguments.check);
  if (!arguments.show.empty()) {
    const ReadyScenario* ready = find_ready_scenario(arguments.show);
    if (ready == nullptr) {
      return fail(fmt::format("there is no ready scenario '{}'; 'smtpscope scenario' lists them",
                              arguments.show));
    }
    return print(ready->text);
  }
  if (arguments.markdown) return print(grammar_as_markdown());
  std::string text = grammar_as_text() + "\nREADY SCENARIOS\n";
  for (const ReadyScenario& ready : ready_scenarios()) {
    text += fmt::format("  {:<22} {}\n", ready.name, ready.title());
  }
  return print(text);
}

std::function<int()> declare_scenario(CLI::App& app) {
  auto arguments = std::make_shared<ScenarioCommandArguments>();
  app.add_option("--check", arguments->check, "Read a scenario and say what is wrong with it")
      ->type_name("FILE|NAME")
      ->default_str("none");
  app.add_option("--show", arguments->show, "Print a ready scenario, to begin a new one with")
      ->type_name("NAME")
      ->default_str("none");
  app.add_flag("--markdown", arguments->markdown,
               "The list of actions as docs/scenarios.md has it");
  return [arguments] { return run(*arguments); };
}

}  // namespace

const Subcommand kScenarioCommand = {
    .name = "scenario",
    .description = "List what --what-if and scenarios can change, or check a scenario",
    .examples =
        "  smtpscope scenario\n"
        "  smtpscope scenario --check slow.scenario\n"
        "  smtpscope scenario --show greylisting > mine.scenario\n",
    .declare = declare_scenario,
};

}  // namespace smtpscope
