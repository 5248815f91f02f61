#pragma once

#include <functional>
#include <span>
#include <string_view>

namespace CLI {
class App;
}

namespace smtpscope {

/// What a run of smtpscope tells the shell.
enum ExitCode : int {
  kExitFine = 0,
  kExitFound = 1,    // a check found something, a comparison differs
  kExitFailure = 2,  // wrong usage, or the job could not be done
};

/// The same in words, for subcommands that have nothing more exact to say.
inline constexpr std::string_view kExitWords = "0 fine, 2 wrong usage or the job failed.";

/// One subcommand, its words and what makes it run. Immutable, static lifetime. Each lives in a
/// file of its own, cli/<name>_command.cc.
struct Subcommand {
  std::string_view name;
  std::string_view description;  // one line for the list of subcommands
  std::string_view examples;     // printed below the options by --help; lines indented by two
  /// Adds the options to `app`; what it returns does the job once they are parsed, and gives an
  /// ExitCode.
  std::function<int()> (*declare)(CLI::App& app);
  /// What its exit status means, after "Exit status: ".
  std::string_view exit_status = kExitWords;
};

extern const Subcommand kProxyCommand;
extern const Subcommand kShowCommand;
extern const Subcommand kViewCommand;
extern const Subcommand kDiffCommand;
extern const Subcommand kRedactCommand;
extern const Subcommand kReportCommand;
extern const Subcommand kDemoCommand;
extern const Subcommand kRecordsCommand;
extern const Subcommand kRulesCommand;
extern const Subcommand kExplainCommand;
extern const Subcommand kReasonCommand;
extern const Subcommand kTroublesCommand;
extern const Subcommand kFormatsCommand;
extern const Subcommand kScenarioCommand;
extern const Subcommand kCheckClientCommand;
extern const Subcommand kWhatIfCommand;
extern const Subcommand kBisectCommand;
extern const Subcommand kCaCommand;
extern const Subcommand kSetupCommand;
extern const Subcommand kReplayCommand;
extern const Subcommand kHelpCommand;
extern const Subcommand kCompletionCommand;
extern const Subcommand kManCommand;

/// All subcommands, in the order in which --help lists them. Adding one: one file, one row.
std::span<const Subcommand* const> all_subcommands();
/// nullptr if there is none of that name.
const Subcommand* find_subcommand(std::string_view name);
/// Says on stderr that there is none of the name `typed`, and which was probably meant; gives
/// kExitFailure.
int unknown_subcommand(std::string_view typed);

/// Prints "smtpscope: <message>" on stderr and gives kExitFailure. The message says what, where,
/// and what to do; octets of it that could drive a terminal are escaped.
int fail(std::string_view message);

}  // namespace smtpscope
