#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "lab/scenario_run.h"
#include "proxy/proxy.h"

namespace CLI {
class App;
}

namespace smtpscope {

/// What the command line says of the laboratory.
struct ScenarioArguments {
  std::vector<std::string> what_if;
  std::vector<std::string> scenario;

  bool empty() const { return what_if.empty() && scenario.empty(); }
};

void add_scenario_options(CLI::App& app, ScenarioArguments& arguments);

/// The scenario that was asked for, files read. The Error has each fault with its place.
Result<LabProgram> read_scenario_arguments(const ScenarioArguments& arguments);

/// A scenario before it is parsed.
struct ScenarioText {
  std::string place;  // the file's name, or that of a ready one, for errors
  std::string text;
};
/// What a file holds, or the ready scenario with that name.
Result<ScenarioText> find_scenario(const std::string& file_or_name);

/// The program of a file, or of a ready scenario with that name.
Result<Done> read_scenario(const std::string& file_or_name, LabProgram& program);

/// Prints each of the faults on stderr; kExitFailure.
int fail_for(const Error& faults);

/// Has the proxy play it. Gives the run of the scenario, which the proxy keeps alive.
std::shared_ptr<ScenarioRun> play_scenario(LabProgram program, ProxyOptions& proxy);

}  // namespace smtpscope
