#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/worker_thread.h"
#include "cli/client_report.h"
#include "cli/experiment.h"
#include "cli/experiment_arguments.h"
#include "cli/file_output.h"
#include "cli/rule_options.h"
#include "cli/scenario_arguments.h"
#include "cli/stop_flag.h"
#include "cli/subcommand.h"
#include "cli/terminal.h"
#include "lab/client_check.h"
#include "lab/grammar.h"
#include "lab/ready_scenarios.h"

namespace smtpscope {
namespace {

constexpr std::string_view kAsTable = "text";
constexpr std::string_view kAsDocument = "json";
constexpr std::string_view kUnaltered = "unaltered";

struct CheckClientArguments {
  ExperimentArguments experiment;
  ScenarioArguments scenarios;
  std::size_t jobs = 8;
  std::string format = std::string(kAsTable);
  RuleOptions rules;
};

/// A scenario to be played.
struct ClientTrial {
  std::string name;
  std::string title;
  std::string asks;
  LabProgram program;
  std::size_t own_lines = 0;  // at its end; those before are for all trials
};

/// Of a file "a/slow.scenario": "slow".
std::string name_of(const std::string& file_or_name) {
  return std::filesystem::path(file_or_name).stem().string();
}

class ClientCheck {
 public:
  /// `arguments` must outlive it.
  ClientCheck(ExperimentSetting setting, RuleSet rules, std::vector<ClientTrial> trials,
              LabProgram always, CheckedClient checked, const ExperimentArguments& arguments)
      : setting_(std::move(setting)),
        rules_(std::move(rules)),
        trials_(std::move(trials)),
        always_(std::move(always)),
        checked_(std::move(checked)),
        arguments_(arguments),
        rows_(trials_.size()) {}

  /// Runs the client as it is, then under each scenario, `jobs` at a time.
  Result<CheckedClient> run(std::size_t jobs) {
    auto first = run_unaltered();
    if (!first) return first.error();
    checked_.rows.push_back(std::move(first.value()));
    std::vector<std::thread> workers;
    workers.reserve(jobs);
    for (std::size_t i = 0; i < std::min(jobs, trials_.size()); ++i) {
      workers.push_back(start_worker([this] { work(); }));
    }
    for (std::thread& worker : workers) worker.join();
    if (fault_) return *fault_;
    for (std::optional<CheckedScenario>& row : rows_) {
      if (row) {
        checked_.rows.push_back(std::move(*row));
      } else {
        ++checked_.not_run;
      }
    }
    return std::move(checked_);
  }

 private:
  bool stopped() const { return setting_.stop->load(); }

  void work() {
    while (!stopped()) {
      const std::size_t number = next_++;
      if (number >= trials_.size()) return;
      auto row = run_one(trials_[number]);
      const std::lock_guard lock(mutex_);
      if (!row) {
        if (!fault_) fault_ = row.error();
        return;
      }
      if (!row.value()) return;
      rows_[number] = std::move(*row.value());
      tell(*rows_[number]);
    }
  }

  void tell(const CheckedScenario& row) {
    if (!is_terminal(STDERR_FILENO)) return;
    ++done_;
    std::fputs(fmt::format("smtpscope: {}/{} {}: {}, {}\n", done_, trials_.size(), row.name,
                           to_string(row.verdict.result), to_string(row.verdict.mark))
                   .c_str(),
               stderr);
  }

  Result<ExperimentResult> play(const std::string& name, const LabProgram& program,
                                CheckedScenario& row) const {
    const auto files = files_of_run(checked_.folder, name, arguments_);
    if (!files) return files.error();
    auto result = run_experiment(setting_, rules_, program, files.value());
    if (!result) return result;
    row.name = name;
    row.connections = result.value().sessions.size();
    row.exit_code = result.value().exit_code;
    row.killed = result.value().timed_out;
    row.took = result.value().ended - result.value().began;
    row.findings.assign(result.value().client_findings.begin(),
                        result.value().client_findings.end());
    row.capture = files.value().capture;
    row.client_output = files.value().client_output;
    return result;
  }

  /// What the client sends is known from this; so it has to work.
  Result<CheckedScenario> run_unaltered() {
    CheckedScenario row;
    row.title = "The server as it is";
    const auto played = play(std::string(kUnaltered), always_, row);
    if (!played) return played.error();
    const ExperimentResult& result = played.value();
    if (result.stopped) return Error{"stopped before anything was found"};
    const std::string look = fmt::format("; see smtpscope show {}, and {} for what it printed",
                                         row.capture, row.client_output);
    if (result.sessions.empty()) {
      return Error{
          "the client did not connect: has its command line {host} and {port}, and does it work "
          "by itself?" +
          look};
    }
    for (const SessionNotes& session : result.sessions) {
      if (session.unreachable) return Error{"the server cannot be reached" + look};
    }
    const std::vector<const SessionNotes*> notes = result.notes();
    const ClientRun run{notes, result.exit_code, result.timed_out, result.ended, true};
    expected_ = expected_mail(run);
    row.verdict = judge_client(expected_, run);
    usual_findings_ = result.client_findings;
    if (row.verdict.result == ClientResult::kNotTested) {
      return Error{row.verdict.why + look};
    }
    if (result.timed_out) {
      return Error{
          "the client does not end, without any scenario; give it more --timeout, or mend "
          "it first" +
          look};
    }
    if (row.verdict.wanted == 0 || result.exit_code != 0) {
      return Error{
          fmt::format("the client has to deliver its mail where nothing is in its way, and "
                      "to exit with 0; it exited with {}, and {} taken",
                      result.exit_code, row.verdict.wanted == 0 ? "nothing was" : "all was") +
          look};
    }
    return row;
  }

  /// Nothing: the user wants no more.
  Result<std::optional<CheckedScenario>> run_one(const ClientTrial& trial) const {
    CheckedScenario row;
    const auto played = play(trial.name, trial.program, row);
    if (!played) return played.error();
    const ExperimentResult& result = played.value();
    if (result.stopped) return std::optional<CheckedScenario>();
    row.title = trial.title;
    row.asks = trial.asks;
    const bool altered =
        std::any_of(result.uses.end() - static_cast<std::ptrdiff_t>(trial.own_lines),
                    result.uses.end(), [](std::uint64_t uses) { return uses > 0; });
    const std::vector<const SessionNotes*> notes = result.notes();
    row.verdict = judge_client(
        expected_, ClientRun{notes, result.exit_code, result.timed_out, result.ended, altered});
    if (row.verdict.mark == ClientMark::kOk) blame_for_findings(row);
    return std::optional(std::move(row));
  }

  /// A client that uses what was not offered breaks the protocol, however well it ends.
  void blame_for_findings(CheckedScenario& row) const {
    for (const std::string& id : row.findings) {
      const Rule* const rule = find_rule(id);
      if (usual_findings_.contains(id) || rule == nullptr) continue;
      if (rule->category != Category::kExtension && id != "pipelining-unadvertised") continue;
      row.verdict.mark = ClientMark::kNotOk;
      row.verdict.why =
          fmt::format("it uses what was not offered ({}; smtpscope explain {})", id, id);
      row.verdict.section = "RFC 5321 4.1.1.1";
      return;
    }
  }

  const ExperimentSetting setting_;
  const RuleSet rules_;
  const std::vector<ClientTrial> trials_;
  const LabProgram always_;
  CheckedClient checked_;
  const ExperimentArguments& arguments_;
  ExpectedMail expected_;
  std::set<std::string, std::less<>> usual_findings_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  std::vector<std::optional<CheckedScenario>> rows_;  // by trial
  std::optional<Error> fault_;
  std::size_t done_ = 0;
};

/// What is to be played: the scenarios that were named, or all ready ones.
Result<std::vector<ClientTrial>> read_trials(const ScenarioArguments& arguments,
                                             const LabProgram& always) {
  std::vector<std::string> names = arguments.scenario;
  if (names.empty()) {
    for (const ReadyScenario& ready : ready_scenarios()) names.emplace_back(ready.name);
  }
  std::vector<ClientTrial> trials;
  trials.reserve(names.size());
  std::string faults;
  for (const std::string& name : names) {
    const auto found = find_scenario(name);
    ClientTrial trial;
    trial.name = name_of(name);
    trial.program = always;
    const auto done = found ? parse_scenario(found.value().text, found.value().place, trial.program)
                            : Result<Done>(found.error());
    if (!done) {
      faults += (faults.empty() ? "" : "\n") + done.error().message;
      continue;
    }
    trial.title = scenario_title(found.value().text);
    trial.asks = scenario_asks(found.value().text);
    trial.own_lines = trial.program.lines.size() - always.lines.size();
    const bool twice = trial.name == kUnaltered ||
                       std::any_of(trials.begin(), trials.end(), [&](const ClientTrial& other) {
                         return other.name == trial.name;
                       });
    if (twice) return Error{fmt::format("--scenario: '{}' is there twice", trial.name)};
    trials.push_back(std::move(trial));
  }
  if (!faults.empty()) return Error{std::move(faults)};
  return trials;
}

int run(const CheckClientArguments& arguments) {
  auto setting = read_experiment_arguments(arguments.experiment);
  if (!setting) return fail(setting.error().message);
  if (arguments.jobs == 0) return fail("--jobs: give 1 or more");
  ScenarioArguments lines;
  lines.what_if = arguments.scenarios.what_if;
  auto always = read_scenario_arguments(lines);
  if (!always) return fail_for(always.error());
  auto trials = read_trials(arguments.scenarios, always.value());
  if (!trials) return fail_for(trials.error());
  auto rules = make_rules(arguments.rules);
  if (!rules) return fail(rules.error().message);
  auto folder = make_experiment_folder(arguments.experiment);
  if (!folder) return fail(folder.error().message);

  const StopFlag stop;
  setting.value().stop = &stop.flag();
  CheckedClient checked;
  checked.command = setting.value().command;
  checked.upstream = setting.value().upstream.text();
  checked.folder = folder.value();
  checked.patience = setting.value().patience;
  ClientCheck check(std::move(setting.value()), std::move(rules.value()), std::move(trials.value()),
                    std::move(always.value()), std::move(checked), arguments.experiment);
  const auto found = check.run(arguments.jobs);
  if (!found) return fail(found.error().message);
  const int printed = print(arguments.format == kAsDocument
                                ? client_report_json(found.value())
                                : client_report_text(found.value(), terminal_width(STDOUT_FILENO)));
  if (printed != kExitFine) return printed;
  return found.value().count(ClientMark::kNotOk) > 0 ? kExitFound : kExitFine;
}

std::function<int()> declare_check_client(CLI::App& app) {
  auto arguments = std::make_shared<CheckClientArguments>();
  add_experiment_options(app, arguments->experiment, "sink");
  app.add_option("--scenario", arguments->scenarios.scenario,
                 "A scenario to play: a ready one by its name, or a file. May be repeated")
      ->type_name("FILE|NAME")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->default_str("all ready ones");
  app.add_option("--what-if", arguments->scenarios.what_if,
                 "A line of a scenario for all runs, such as 'hide STARTTLS'. May be repeated")
      ->type_name("LINE")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->default_str("none");
  app.add_option("-j,--jobs", arguments->jobs, "Clients that run at a time")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("-f,--format", arguments->format, "text, or json (docs/check-client.schema.json)")
      ->check(CLI::IsMember({std::string(kAsTable), std::string(kAsDocument)}))
      ->capture_default_str();
  add_rule_options(app, arguments->rules);
  return [arguments] { return run(*arguments); };
}

}  // namespace

const Subcommand kCheckClientCommand = {
    .name = "check-client",
    .description = "Run a mail client under all ready scenarios, and tell what became of its mail",
    .examples =
        "  smtpscope check-client -- msmtp --host={host} --port={port} --read-envelope-from -t\n"
        "  smtpscope check-client --scenario greylisting -- ./client {host} {port}\n"
        "  smtpscope check-client --upstream mx:25 --timeout 11m -f json -- ./client {host} "
        "{port}\n",
    .declare = declare_check_client,
    .exit_status = "0 no scenario is \"not ok\", 1 some are, 2 wrong usage or the job failed.",
};

}  // namespace smtpscope
