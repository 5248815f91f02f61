#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/counted.h"
#include "cli/experiment.h"
#include "cli/option_values.h"
#include "cli/rule_options.h"
#include "cli/subcommand.h"
#include "lab/bisection.h"
#include "lab/grammar.h"
#include "timeline/rule.h"

namespace smtpscope {
namespace {

struct BisectArguments {
  std::string upstream;
  std::string bad;
  std::string run;
  unsigned repeat = 2;
  std::string timeout = "60s";
  std::vector<std::string> trait;
  std::vector<std::string> command;
  RuleOptions rules;
};

// What git bisect run makes of exit codes.
constexpr int kSkip = 125;
constexpr int kMostBad = 127;

/// At once, so that it is there after Ctrl-C.
void tell_now(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

/// One search, with what it knows of the client.
class Search {
 public:
  Search(ExperimentSetting setting, RuleSet rules, const BisectArguments& arguments)
      : setting_(std::move(setting)), rules_(std::move(rules)), arguments_(arguments) {}

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
    for (const std::string& line : first.value().traits) {
      if (std::ranges::find(traits_, line) == traits_.end()) traits_.push_back(line);
    }
    std::erase_if(traits_, [](const std::string& line) {
      LabProgram program;
      return !parse_scenario_line(line, "trait", program);
    });
    if (traits_.empty()) return fail("the server said nothing that could be altered");
    tell_now(fmt::format("{} to alter\n", counted(traits_.size(), "trait")));
    Bisection bisection(traits_.size(), arguments_.repeat,
                        [this](const Bisection::Traits& altered) { return experiment(altered); });
    return tell(bisection.find());
  }

 private:
  LabJudgement experiment(const Bisection::Traits& altered) {
    LabProgram program;
    for (const std::size_t trait : altered) {
      (void)parse_scenario_line(traits_[trait], "trait", program);
    }
    auto result = run_experiment(setting_, rules_, program);
    LabJudgement judgement = LabJudgement::kUnknown;
    if (!result) {
      fail(result.error().message);
    } else if (!arguments_.run.empty()) {
      const int code = result.value().exit_code;
      judgement = result.value().timed_out || code == kSkip || code > kMostBad
                      ? LabJudgement::kUnknown
                  : code == 0 ? LabJudgement::kGood
                              : LabJudgement::kBad;
    } else if (result.value().connected && !result.value().timed_out) {
      judgement = result.value().findings.contains(arguments_.bad) ? LabJudgement::kBad
                                                                   : LabJudgement::kGood;
    }
    if (result && judgement == LabJudgement::kGood) timelines_[altered] = result.value().timeline;
    tell_now(fmt::format("  {}: {}\n", in_words(altered),
                         judgement == LabJudgement::kGood  ? "good"
                         : judgement == LabJudgement::kBad ? "bad"
                                                           : "cannot be judged"));
    return judgement;
  }

  std::string in_words(const Bisection::Traits& altered) const {
    if (altered.empty()) return "unaltered";
    if (altered.size() == traits_.size() && altered.size() > 1) return "all altered";
    std::vector<std::string_view> lines;
    for (const std::size_t trait : altered) lines.push_back(traits_[trait]);
    return fmt::format("{}", fmt::join(lines, " + "));
  }

  int tell(const Bisection::Answer& answer) {
    const std::string runs = counted(answer.runs, "run");
    switch (answer.end) {
      case Bisection::End::kNeverBad:
        tell_now(fmt::format("nothing to find: unaltered, the client behaves ({})\n", runs));
        return kExitFound;
      case Bisection::End::kNeverGood:
        tell_now(
            fmt::format("not found: it is bad whatever is altered, so none of these traits is why "
                        "({}). Add some with --trait, such as --trait 'reply to RCPT: wait 2s'\n",
                        runs));
        return kExitFound;
      case Bisection::End::kInconclusive:
        tell_now(
            fmt::format("inconclusive: {}: {} times good, {} times bad, {} not to be judged ({})\n",
                        in_words(answer.last), answer.trial.good, answer.trial.bad,
                        answer.trial.unknown, runs));
        return kExitFound;
      case Bisection::End::kFound:
        break;
    }
    tell_now(fmt::format("\n--- unaltered\n{}\n--- altered: {}\n{}\n", before_,
                         in_words(answer.minimal), timelines_[answer.minimal]));
    tell_now(fmt::format("found in {}: the client behaves as soon as this is altered:\n", runs));
    for (const std::size_t trait : answer.minimal) tell_now(fmt::format("  {}\n", traits_[trait]));
    for (std::size_t i = 1; i < answer.alone.size(); ++i) {
      tell_now(fmt::format("or, by itself: {}\n", in_words(answer.alone[i])));
    }
    std::string options;
    for (const std::size_t trait : answer.minimal) {
      options += fmt::format(" --what-if '{}'", traits_[trait]);
    }
    tell_now(fmt::format("to keep using it: smtpscope proxy --listen 2525 --upstream {}{}\n",
                         setting_.upstream.text(), options));
    return kExitFine;
  }

  const ExperimentSetting setting_;
  const RuleSet rules_;
  const BisectArguments& arguments_;
  std::vector<std::string> traits_;
  std::string before_;
  std::map<Bisection::Traits, std::string> timelines_;
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
  for (const std::string& line : arguments.trait) {
    LabProgram program;
    if (auto done = parse_scenario_line(line, "--trait", program); !done) {
      return fail(done.error().message);
    }
  }
  auto rules = make_rules(arguments.rules);
  if (!rules) return fail(rules.error().message);
  return Search(std::move(setting), std::move(rules.value()), arguments).go();
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
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->default_str("none");
  app.add_option("--repeat", arguments->repeat, "Runs of each experiment; all have to agree")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--timeout", arguments->timeout, "When a client that has not ended is killed")
      ->type_name("TIME")
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
        "  smtpscope bisect --upstream mx:25 --run './client {host} {port} && ./arrived'\n",
    .declare = declare_bisect,
    .exit_status = "0 found, 1 not found or inconclusive, 2 wrong usage or the job failed.",
};

}  // namespace smtpscope
