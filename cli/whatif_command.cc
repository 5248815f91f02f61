#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/client_report.h"
#include "cli/experiment.h"
#include "cli/experiment_arguments.h"
#include "cli/file_output.h"
#include "cli/rendering.h"
#include "cli/rule_options.h"
#include "cli/run_loading.h"
#include "cli/scenario_arguments.h"
#include "cli/stop_flag.h"
#include "cli/subcommand.h"
#include "diff/runs/normalizer.h"
#include "diff/runs/run_comparison.h"
#include "exporters/comparison/comparison_json.h"
#include "exporters/comparison/comparison_text.h"
#include "exporters/json_writer.h"
#include "lab/client_check.h"

namespace smtpscope {
namespace {

struct WhatIfArguments {
  ExperimentArguments experiment;
  ScenarioArguments scenario;
  unsigned repeat = 1;
  std::string format = "text";
  Rendering rendering;
  RuleOptions rules;
};

/// Runs of the client with the same of the server.
struct WhatIfSeries {
  std::string_view name;  // of its captures
  LabProgram program;
  std::vector<CheckedScenario> runs = {};

  bool steady() const {
    return std::all_of(runs.begin(), runs.end(), [&](const CheckedScenario& run) {
      return ending(run) == ending(runs.front());
    });
  }
  static std::string ending(const CheckedScenario& run) {
    std::string text(to_string(run.verdict.result));
    text += fmt::format(", {} of {} taken", run.verdict.taken, run.verdict.wanted);
    if (run.verdict.surplus > 0) text += fmt::format(" and {} too many", run.verdict.surplus);
    return text + (run.killed ? ", killed" : fmt::format(", exit status {}", run.exit_code));
  }
};

class WhatIf {
 public:
  WhatIf(ExperimentSetting setting, RuleSet rules, LabProgram program, std::string folder,
         const WhatIfArguments& arguments)
      : setting_(std::move(setting)),
        rules_(std::move(rules)),
        folder_(std::move(folder)),
        arguments_(arguments),
        series_{{{"unaltered", {}}, {"altered", std::move(program)}}} {}

  int run() {
    // In turn, so that what changes by itself meanwhile hits both.
    for (unsigned i = 1; i <= arguments_.repeat; ++i) {
      for (WhatIfSeries& series : series_) {
        if (const auto played = play(series, i); !played) return fail(played.error().message);
        if (stopped_) break;
      }
      if (stopped_) break;
    }
    if (series_[1].runs.empty()) return fail("stopped before there were two runs to compare");
    return tell();
  }

 private:
  Result<Done> play(WhatIfSeries& series, unsigned number) {
    const auto files =
        files_of_run(folder_, fmt::format("{}-{}", series.name, number), arguments_.experiment);
    if (!files) return files.error();
    const auto played = run_experiment(setting_, rules_, series.program, files.value());
    if (!played) return played.error();
    const ExperimentResult& result = played.value();
    if (result.stopped) {
      stopped_ = true;
      return Done{};
    }
    if (result.sessions.empty() && expected_ == std::nullopt) {
      return Error{
          "the client did not connect: has its command line {host} and {port}, and does it work "
          "by itself?"};
    }
    const std::vector<const SessionNotes*> notes = result.notes();
    const ClientRun run{notes, result.exit_code, result.timed_out, result.ended, true};
    if (!expected_) expected_ = expected_mail(run);
    CheckedScenario row;
    row.name = fmt::format("{}-{}", series.name, number);
    row.title = series.name == "altered" ? "The server as it was wanted" : "The server as it is";
    row.verdict = judge_client(*expected_, run);
    row.connections = result.sessions.size();
    row.exit_code = result.exit_code;
    row.killed = result.timed_out;
    row.took = result.ended - result.began;
    row.findings.assign(result.client_findings.begin(), result.client_findings.end());
    row.capture = files.value().capture;
    row.client_output = files.value().client_output;
    series.runs.push_back(std::move(row));
    if (uses_.empty()) uses_.resize(series.program.lines.size());
    for (std::size_t line = 0; line < result.uses.size(); ++line) uses_[line] += result.uses[line];
    return Done{};
  }

  int tell() {
    const auto before = load_run(series_[0].runs.front().capture, rules_);
    if (!before) return fail(before.error().message);
    const auto after = load_run(series_[1].runs.front().capture, rules_);
    if (!after) return fail(after.error().message);
    const auto normalizers = Normalizers::make(Normalizers::Options{});
    if (!normalizers) return fail(normalizers.error().message);
    const RunComparison comparison =
        compare_runs(before.value().run, after.value().run, normalizers.value(), {});
    const bool same_end = WhatIfSeries::ending(series_[0].runs.front()) ==
                          WhatIfSeries::ending(series_[1].runs.front());
    const bool steady = series_[0].steady() && series_[1].steady();
    FileOutput output;
    if (arguments_.format == "json") {
      output.write(document(comparison, steady));
    } else {
      write_comparison_text(comparison, {},
                            exporter_options(arguments_.rendering, rules_, STDOUT_FILENO), output);
      output.write(endings(same_end, steady));
    }
    output.flush();
    if (const auto fault = output.fault()) return fail(fault->message);
    return comparison.same() && same_end && steady ? kExitFine : kExitFound;
  }

  std::string endings(bool same_end, bool steady) const {
    std::string text = "\nWhat became of the mail:\n";
    for (const WhatIfSeries& series : series_) {
      std::vector<std::pair<std::string, unsigned>> ways;
      for (const CheckedScenario& run : series.runs) {
        const std::string way = WhatIfSeries::ending(run);
        const auto found = std::find_if(ways.begin(), ways.end(),
                                        [&](const auto& known) { return known.first == way; });
        if (found == ways.end()) {
          ways.emplace_back(way, 1);
        } else {
          ++found->second;
        }
      }
      for (const auto& [way, count] : ways) {
        text += fmt::format("  {:<9}  {}{}\n", series.name, way,
                            series.runs.size() > 1 ? fmt::format(" ({} times)", count) : "");
      }
    }
    if (!steady) {
      text += "It does not end alike each time: what the lines change cannot be told from this.\n";
    } else if (same_end) {
      text += "No difference.\n";
    }
    for (std::size_t line = 0; line < uses_.size(); ++line) {
      if (uses_[line] > 0) continue;
      const LabLine& unused = series_[1].program.lines[line];
      text += fmt::format("was of no use: {}: {}\n", unused.place, unused.text);
    }
    return text + fmt::format("Captures: {}\n", folder_);
  }

  std::string document(const RunComparison& comparison, bool steady) const {
    JsonWriter json;
    json.begin_object();
    json.number("whatif", 1);
    json.string("writer", "smtpscope " SMTPSCOPE_VERSION);
    json.begin_array("command");
    for (const std::string& word : setting_.command) json.element(word);
    json.end_array();
    json.string("upstream", setting_.upstream.text());
    json.string("folder", folder_);
    json.boolean("steady", steady);
    json.begin_array("lines");
    for (std::size_t line = 0; line < series_[1].program.lines.size(); ++line) {
      json.begin_object();
      json.string("line", series_[1].program.lines[line].text);
      json.number("uses", uses_.empty() ? std::uint64_t{0} : uses_[line]);
      json.end_object();
    }
    json.end_array();
    json.begin_array("runs");
    for (const WhatIfSeries& series : series_) {
      for (const CheckedScenario& run : series.runs) put_checked_json(json, run);
    }
    json.end_array();
    json.object("comparison", json_of(comparison, nullptr));
    json.end_object();
    json.end_line();
    return json.take();
  }

  const ExperimentSetting setting_;
  const RuleSet rules_;
  const std::string folder_;
  const WhatIfArguments& arguments_;
  std::array<WhatIfSeries, 2> series_;
  std::optional<ExpectedMail> expected_;
  std::vector<std::uint64_t> uses_;  // of the lines
  bool stopped_ = false;
};

int run(const WhatIfArguments& arguments) {
  auto setting = read_experiment_arguments(arguments.experiment);
  if (!setting) return fail(setting.error().message);
  if (arguments.scenario.empty()) {
    return fail("nothing to change: give --what-if LINE or --scenario FILE|NAME");
  }
  auto program = read_scenario_arguments(arguments.scenario);
  if (!program) return fail_for(program.error());
  if (arguments.repeat == 0) return fail("--repeat: give 1 or more");
  auto rules = make_rules(arguments.rules);
  if (!rules) return fail(rules.error().message);
  auto folder = make_experiment_folder(arguments.experiment);
  if (!folder) return fail(folder.error().message);
  const StopFlag stop;
  setting.value().stop = &stop.flag();
  return WhatIf(std::move(setting.value()), std::move(rules.value()), std::move(program.value()),
                folder.value(), arguments)
      .run();
}

std::function<int()> declare_whatif(CLI::App& app) {
  auto arguments = std::make_shared<WhatIfArguments>();
  add_scenario_options(app, arguments->scenario);
  app.add_option("--repeat", arguments->repeat, "Runs of each kind")
      ->type_name("N")
      ->capture_default_str();
  add_experiment_options(app, arguments->experiment, "");
  app.add_option("-f,--format", arguments->format, "text, or json (docs/whatif.schema.json)")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  add_look_options(app, arguments->rendering, "All exchanges, and what was set aside");
  add_rule_options(app, arguments->rules);
  return [arguments] { return run(*arguments); };
}

}  // namespace

const Subcommand kWhatIfCommand = {
    .name = "whatif",
    .description = "Run a client as it is, then with something altered, and compare",
    .examples =
        "  smtpscope whatif --upstream mx:25 --what-if 'hide 8BITMIME' -- ./client {host} {port}\n"
        "  smtpscope whatif --upstream sink --scenario greylisting -- ./client {host} {port}\n",
    .declare = declare_whatif,
    .exit_status = "0 no difference, 1 there are some, 2 wrong usage or the job failed.",
};

}  // namespace smtpscope
