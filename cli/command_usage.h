#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/subcommand.h"

namespace smtpscope {

/// An option or argument as its definition has it: the one source of --help, the manual pages and
/// the completions.
struct OptionUsage {
  std::vector<std::string> names;    // "-w", "--write"; of a positional argument its one name
  std::string value;                 // what follows, such as "FILE.smtpcap"; "" for a flag
  std::vector<std::string> choices;  // all values that it takes, where these can be listed
  std::string preset;                // what holds without it, in words; "" if nothing is said
  std::string description;           // a sentence or more, without the last full stop
  std::string group;
  bool positional = false;
  bool required = false;
  bool value_optional = false;
  bool repeatable = false;
};

/// A subcommand, or the program itself.
struct CommandUsage {
  std::string name;  // "smtpscope proxy", or "smtpscope"
  std::string description;
  const Subcommand* subcommand = nullptr;  // its further words; nullptr for the program itself
  std::vector<OptionUsage> positionals;
  std::vector<OptionUsage> options;  // in groups, which are in the order to show them in
};

/// What `app` and its options say of themselves. It is only read.
CommandUsage describe(const CLI::App& app);

/// The names of all options of `app`, such as "--write", and "-w" too.
std::vector<std::string> option_names(const CLI::App& app);

/// How an option is written: "-w, --write FILE.smtpcap".
std::string synopsis(const OptionUsage& option);
/// How the command is called: "smtpscope show [OPTIONS] FILE...".
std::string usage(const CommandUsage& command);
/// The description as a sentence, with what holds without the option, or that it is required.
std::string explanation(const OptionUsage& option);

}  // namespace smtpscope
