#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/counted.h"
#include "cli/experiment.h"
#include "cli/file_output.h"
#include "cli/option_values.h"
#include "cli/rule_options.h"
#include "cli/stop_flag.h"
#include "cli/subcommand.h"
#include "exporters/json_writer.h"
#include "lab/bisection.h"
#include "lab/grammar.h"
#include "timeline/rule.h"

namespace smtpscope {
namespace {

struct BisectArguments {
  std::string upstream;
  std::string bad;
  std::string run;
  bool make_bad = false;
  bool only = false;
  std::string delay = "2s";
  unsigned repeat = 2;
  std::string timeout = "60s";
  std::string format = "text";
  std::vector<std::string> trait;
  std::vector<std::string> command;
  RuleOptions rules;
};

// What git bisect run makes of exit codes.
constexpr int kSkip = 125;
constexpr int kMostBad = 127;

/// One search, with what it knows of the client.
class Search {
 public:
  Search(ExperimentSetting setting, RuleSet rules, Duration delay, const BisectArguments& arguments)
      : setting_(std::move(setting)),
        rules_(std::move(rules)),
        delay_(delay),
        arguments_(arguments) {}

  int go() {
    auto first = run_experiment(setting_, rules_, LabProgram());
    if (!first) return fail(first.error().message);
    if (!first.value().connected) {
      return fail(
          "the client did not connect: has its command line {host} and {port}, and does it work "
          "by itself?");
    }
    before_ = first.value().timeline;
    traits_ = arguments_.trait;
    const std::vector<std::string> found = arguments_.only ? std::vector<std::string>()
                                           : arguments_.make_bad
                                               ? burdens_of(first.value().traits, delay_)
                                               : first.value().traits;
    for (const std::string& line : found) {
      if (std::ranges::find(traits_, line) == traits_.end()) traits_.push_back(line);
    }
    std::erase_if(traits_, [](const std::string& line) {
      LabProgram program;
      return !parse_scenario_line(line, "trait", program);
    });
    if (traits_.empty()) {
      return fail(arguments_.only ? "--only: give lines with --trait"
                                  : "the server said nothing that could be altered");
    }
    tell_now(fmt::format("{} to alter\n", counted(traits_.size(), "trait")));
    Bisection bisection(traits_.size(), arguments_.repeat,
                        [this](const Bisection::Traits& altered) { return experiment(altered); });
    const Bisection::Answer answer = bisection.find();
    if (json()) return print_document(answer);
    return tell(answer);
  }

 private:
  bool json() const { return arguments_.format == "json"; }
  bool stopped() const { return setting_.stop->load(); }

  /// At once, so that it is there after Ctrl-C.
  void tell_now(std::string_view text) const {
    if (json()) return;
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }

  static std::string_view to_word(LabJudgement judgement) {
    return judgement == LabJudgement::kGood  ? "good"
           : judgement == LabJudgement::kBad ? "bad"
                                             : "unknown";
  }

  /// What the search is to make of it: it looks for what turns the one into the other.
  LabJudgement as_searched(LabJudgement judgement) const {
    if (!arguments_.make_bad || judgement == LabJudgement::kUnknown) return judgement;
    return judgement == LabJudgement::kGood ? LabJudgement::kBad : LabJudgement::kGood;
  }

  LabJudgement judge(const ExperimentResult& result) const {
    if (result.stopped) return LabJudgement::kUnknown;
    if (arguments_.run.empty()) {
      if (!result.connected || result.timed_out) return LabJudgement::kUnknown;
      return result.findings.contains(arguments_.bad) ? LabJudgement::kBad : LabJudgement::kGood;
    }
    const int code = result.exit_code;
    if (result.timed_out || code == kSkip || code > kMostBad) return LabJudgement::kUnknown;
    return code == 0 ? LabJudgement::kGood : LabJudgement::kBad;
  }

  LabJudgement experiment(const Bisection::Traits& altered) {
    if (stopped()) return LabJudgement::kUnknown;
    LabProgram program;
    for (const std::size_t trait : altered) {
      (void)parse_scenario_line(traits_[trait], "trait", program);
    }
    auto result = run_experiment(setting_, rules_, program);
    LabJudgement judgement = LabJudgement::kUnknown;
    if (!result) {
      fail(result.error().message);
    } else {
      judgement = judge(result.value());
    }
    if (stopped()) return LabJudgement::kUnknown;
    const LabJudgement searched = as_searched(judgement);
    if (result && searched == LabJudgement::kGood) timelines_[altered] = result.value().timeline;
    experiments_.emplace_back(altered, judgement);
    tell_now(
        fmt::format("  {}: {}\n", in_words(altered),
                    judgement == LabJudgement::kUnknown ? "cannot be judged" : to_word(judgement)));
    return searched;
  }

  std::string in_words(const Bisection::Traits& altered) const {
    if (altered.empty()) return "unaltered";
    if (altered.size() == traits_.size() && altered.size() > 1) return "all altered";
    return fmt::format("{}", fmt::join(lines_of(altered), " + "));
  }

  std::vector<std::string> lines_of(const Bisection::Traits& altered) const {
    std::vector<std::string> lines;
    lines.reserve(altered.size());
    for (const std::size_t trait : altered) lines.push_back(traits_[trait]);
    return lines;
  }

  /// The counts as the user has the words.
  LabTrial trial_of(const Bisection::Answer& answer) const {
    LabTrial trial = answer.trial;
    if (arguments_.make_bad) std::swap(trial.good, trial.bad);
    return trial;
  }

  std::string options_for(const Bisection::Traits& altered) const {
    std::string options;
    for (const std::string& line : lines_of(altered)) {
      options += fmt::format(" --what-if '{}'", line);
    }
    return options;
  }

  int tell(const Bisection::Answer& answer) const {
    const std::string runs = counted(answer.runs, "run");
    const bool make_bad = arguments_.make_bad;
    if (stopped()) {
      tell_now(fmt::format("stopped after {}\n", counted(experiments_.size() + 1, "run")));
      return kExitFound;
    }
    const LabTrial trial = trial_of(answer);
    switch (answer.end) {
      case Bisection::End::kNeverBad:
        tell_now(fmt::format("nothing to find: unaltered, the client {} ({})\n",
                             make_bad ? "is bad already" : "behaves", runs));
        return kExitFound;
      case Bisection::End::kNeverGood:
        tell_now(make_bad
                     ? fmt::format("not found: it behaves whatever is altered ({}). Add some with "
                                   "--trait, or give a longer --delay\n",
                                   runs)
                     : fmt::format(
                           "not found: it is bad whatever is altered, so none of these traits is "
                           "why ({}). Add some with --trait; or take a server with which it "
                           "behaves, and look for what makes it bad with --make-bad\n",
                           runs));
        return kExitFound;
      case Bisection::End::kInconclusive:
        tell_now(
            fmt::format("inconclusive: {}: {} times good, {} times bad, {} not to be judged ({})\n",
                        in_words(answer.last), trial.good, trial.bad, trial.unknown, runs));
        return kExitFound;
      case Bisection::End::kFound:
        break;
    }
    const auto timeline = timelines_.find(answer.minimal);
    tell_now(fmt::format("\n--- unaltered\n{}\n--- altered: {}\n{}\n", before_,
                         in_words(answer.minimal),
                         timeline == timelines_.end() ? "" : timeline->second));
    tell_now(fmt::format("found in {}: the client {} as soon as this is altered:\n", runs,
                         make_bad ? "is bad" : "behaves"));
    for (const std::string& line : lines_of(answer.minimal)) tell_now(fmt::format("  {}\n", line));
    for (std::size_t i = 1; i < answer.alone.size(); ++i) {
      tell_now(fmt::format("or, by itself: {}\n", in_words(answer.alone[i])));
    }
    tell_now(fmt::format("to {}: smtpscope proxy --listen 2525 --upstream {}{}\n",
                         make_bad ? "see it again" : "keep using it", setting_.upstream.text(),
                         options_for(answer.minimal)));
    return kExitFine;
  }

  static std::string_view to_word(Bisection::End end, bool make_bad) {
    switch (end) {
      case Bisection::End::kFound:
        return "found";
      case Bisection::End::kNeverBad:
        return make_bad ? "always bad" : "never bad";
      case Bisection::End::kNeverGood:
        return make_bad ? "never bad" : "always bad";
      case Bisection::End::kInconclusive:
        return "inconclusive";
    }
    return "";
  }

  void put_lines(JsonWriter& json, std::string_view name, const Bisection::Traits& altered) const {
    json.begin_array(name);
    for (const std::string& line : lines_of(altered)) json.element(line);
    json.end_array();
  }

  /// docs/bisect.schema.json
  int print_document(const Bisection::Answer& answer) const {
    const bool found = answer.end == Bisection::End::kFound && !stopped();
    JsonWriter json;
    json.begin_object();
    json.number("bisect", 1);
    json.string("writer", "smtpscope " SMTPSCOPE_VERSION);
    json.begin_array("command");
    for (const std::string& word : setting_.command) json.element(word);
    json.end_array();
    json.string("upstream", setting_.upstream.text());
    json.boolean("make_bad", arguments_.make_bad);
    json.string("end", stopped() ? "stopped" : to_word(answer.end, arguments_.make_bad));
    json.number("runs", std::uint64_t{experiments_.size() + 1});
    json.begin_array("traits");
    for (const std::string& trait : traits_) json.element(trait);
    json.end_array();
    put_lines(json, "minimal", found ? answer.minimal : Bisection::Traits());
    json.begin_array("alone");
    for (const Bisection::Traits& alone : answer.alone) json.element(traits_[alone.front()]);
    json.end_array();
    const LabTrial trial = trial_of(answer);
    json.begin_object("last");
    put_lines(json, "altered", answer.last);
    json.number("good", trial.good);
    json.number("bad", trial.bad);
    json.number("unknown", trial.unknown);
    json.end_object();
    json.begin_array("experiments");
    for (const auto& [altered, judgement] : experiments_) {
      json.begin_object();
      put_lines(json, "altered", altered);
      json.string("judgement", to_word(judgement));
      json.end_object();
    }
    json.end_array();
    json.end_object();
    json.end_line();
    const int printed = print(json.take());
    return printed == kExitFine && !found ? int{kExitFound} : printed;
  }

  const ExperimentSetting setting_;
  const RuleSet rules_;
  const Duration delay_;
  const BisectArguments& arguments_;
  std::vector<std::string> traits_;
  std::string before_;
  std::map<Bisection::Traits, std::string> timelines_;
  std::vector<std::pair<Bisection::Traits, LabJudgement>> experiments_;
};

int run(const BisectArguments& arguments) {
  auto upstream = parse_upstream(arguments.upstream);
  if (!upstream) return fail(upstream.error().message);
  ExperimentSetting setting;
  setting.upstream = upstream.value();
  if (arguments.run.empty() == arguments.bad.empty()) {
    return fail(
        "say what is bad: either --bad FINDING and the client's command behind --, or --run CMD");
  }
  if (!arguments.bad.empty()) {
    const auto rules = all_rules();
    const bool known =
        std::ranges::any_of(rules, [&](const Rule* rule) { return rule->id == arguments.bad; });
    if (!known) {
      return fail(fmt::format("--bad: there is no finding '{}'; 'smtpscope rules' lists them",
                              arguments.bad));
    }
    if (arguments.command.empty()) return fail("no client: give its command behind --");
    setting.command = arguments.command;
  } else {
    if (!arguments.command.empty())
      return fail("--run has the command; there is no other behind --");
    setting.command = {"sh", "-c", arguments.run};
  }
  if (arguments.repeat == 0) return fail("--repeat: give 1 or more");
  const auto patience = parse_duration(arguments.timeout);
  if (!patience) {
    return fail(fmt::format("--timeout: '{}' is no time; give 5s, 500ms or 2m", arguments.timeout));
  }
  setting.patience = *patience;
  const auto delay = parse_duration(arguments.delay);
  if (!delay || *delay <= Duration::zero()) {
    return fail(fmt::format("--delay: '{}' is no time; give 500ms or 10s", arguments.delay));
  }
  for (const std::string& line : arguments.trait) {
    LabProgram program;
    if (auto done = parse_scenario_line(line, "--trait", program); !done) {
      return fail(done.error().message);
    }
  }
  auto rules = make_rules(arguments.rules);
  if (!rules) return fail(rules.error().message);
  const StopFlag stop;
  setting.stop = &stop.flag();
  return Search(std::move(setting), std::move(rules.value()), *delay, arguments).go();
}

std::function<int()> declare_bisect(CLI::App& app) {
  auto arguments = std::make_shared<BisectArguments>();
  app.add_option("--upstream", arguments->upstream, "The mail server, as for smtpscope proxy")
      ->type_name("HOST:PORT|unix:PATH|sink")
      ->required();
  app.add_option("--bad", arguments->bad, "The finding that makes a run bad")
      ->type_name("FINDING")
      ->default_str("none");
  app.add_option(
         "--run", arguments->run,
         "A shell command that runs the client at {host} and {port} and judges it: exits with "
         "0 if good, 125 if it cannot be judged, 1 to 127 if bad")
      ->type_name("CMD")
      ->default_str("none");
  app.add_option("--trait", arguments->trait,
                 "One more alteration to try, as a line of a scenario. May be repeated")
      ->type_name("LINE")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->default_str("none");
  app.add_flag("--make-bad", arguments->make_bad,
               "The server is one with which the client behaves: find what makes it bad, delays "
               "and less on offer");
  app.add_option("--delay", arguments->delay, "With --make-bad: the length of the delays")
      ->type_name("TIME")
      ->capture_default_str();
  app.add_flag("--only", arguments->only, "Only the traits that --trait names");
  app.add_option("--repeat", arguments->repeat, "Runs of each experiment; all have to agree")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--timeout", arguments->timeout, "When a client that has not ended is killed")
      ->type_name("TIME")
      ->capture_default_str();
  app.add_option("-f,--format", arguments->format, "text, or json (docs/bisect.schema.json)")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  app.add_option("command", arguments->command,
                 "Behind --: the client; {host} and {port} become where it is to connect")
      ->type_name("COMMAND...")
      ->default_str("none");
  add_rule_options(app, arguments->rules);
  return [arguments] { return run(*arguments); };
}

}  // namespace

const Subcommand kBisectCommand = {
    .name = "bisect",
    .description = "Find the trait of a server that makes a client misbehave",
    .examples =
        "  smtpscope bisect --upstream mx:25 --bad txn-aborted-rset -- ./client {host} {port}\n"
        "  smtpscope bisect --upstream mx:25 --run './client {host} {port} && ./arrived'\n"
        "  smtpscope bisect --upstream sink --make-bad --delay 10s --bad txn-aborted-rset "
        "-- ./client {host} {port}\n",
    .declare = declare_bisect,
    .exit_status = "0 found, 1 not found or inconclusive, 2 wrong usage or the job failed.",
};

}  // namespace smtpscope
