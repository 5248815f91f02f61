#include "cli/scenario_arguments.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/system_error.h"
#include "cli/nearest_name.h"
#include "cli/subcommand.h"
#include "lab/grammar.h"
#include "lab/ready_scenarios.h"
#include "lab/scenario_layer.h"

namespace smtpscope {

void add_scenario_options(CLI::App& app, ScenarioArguments& arguments) {
  app.add_option("--what-if", arguments.what_if,
                 "Change what the client sees: one line of a scenario, such as 'hide PIPELINING'; "
                 "'smtpscope scenario' lists what there is. May be repeated")
      ->type_name("LINE")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->default_str("none");
  app.add_option("--scenario", arguments.scenario,
                 "The same from a file, or a ready one by its name. May be repeated")
      ->type_name("FILE|NAME")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->default_str("none");
}

Result<ScenarioText> find_scenario(const std::string& file_or_name) {
  const bool may_be_name = file_or_name.find_first_of("/.") == std::string::npos;
  if (may_be_name) {
    if (const ReadyScenario* ready = find_ready_scenario(file_or_name)) {
      return ScenarioText{std::string(ready->name), std::string(ready->text)};
    }
  }
  std::ifstream file(file_or_name, std::ios::binary);
  if (!file) {
    const int fault = errno;
    if (!may_be_name) {
      return Error{fmt::format("cannot read {}: {}", file_or_name, system_words(fault))};
    }
    std::vector<std::string_view> names;
    for (const ReadyScenario& ready : ready_scenarios()) names.push_back(ready.name);
    const std::string_view near = nearest_name(file_or_name, names);
    return Error{fmt::format("there is no scenario '{}', and no such file; {}", file_or_name,
                             near.empty()
                                 ? "ready ones: " + fmt::format("{}", fmt::join(names, ", "))
                                 : fmt::format("did you mean '{}'?", near))};
  }
  ScenarioText found{file_or_name, std::string((std::istreambuf_iterator<char>(file)), {})};
  if (file.bad()) return Error{fmt::format("cannot read {}", file_or_name)};
  return found;
}

Result<Done> read_scenario(const std::string& file_or_name, LabProgram& program) {
  const auto found = find_scenario(file_or_name);
  if (!found) return found.error();
  return parse_scenario(found.value().text, found.value().place, program);
}

Result<LabProgram> read_scenario_arguments(const ScenarioArguments& arguments) {
  LabProgram program;
  std::string faults;
  const auto keep = [&](const Result<Done>& done) {
    if (!done) faults += (faults.empty() ? "" : "\n") + done.error().message;
  };
  for (const std::string& name : arguments.scenario) keep(read_scenario(name, program));
  for (const std::string& line : arguments.what_if) {
    keep(parse_scenario_line(line, "--what-if", program));
  }
  if (!faults.empty()) return Error{std::move(faults)};
  return program;
}

int fail_for(const Error& faults) {
  std::string_view text = faults.message;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    fail(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return kExitFailure;
}

std::shared_ptr<ScenarioRun> play_scenario(LabProgram program, ProxyOptions& proxy) {
  auto run = std::make_shared<ScenarioRun>(std::move(program));
  const bool inside_tls = proxy.tls.mode == TlsMode::kIntercept;
  proxy.experiment = [run, inside_tls](SessionId session, const Arrival& arrival, Time now,
                                       SessionObserver* observer) {
    ProxyOptions::Layers layers;
    std::vector<const LabLine*> lines = run->begin_session(arrival.client, now);
    if (lines.empty()) return layers;
    layers.push_back(
        std::make_unique<ScenarioLayer>(session, *run, std::move(lines), inside_tls, observer));
    return layers;
  };
  return run;
}

}  // namespace smtpscope
