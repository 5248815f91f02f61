#include "cli/completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <iterator>
#include <vector>

#include "cli/command_usage.h"
#include "timeline/rule.h"

namespace smtpscope {
namespace {

enum class Kind : std::uint8_t { kOther, kFile, kFolder, kChoice };

/// What may stand where a value is wanted.
struct Values {
  Kind kind = Kind::kOther;
  std::vector<std::string> choices;
};

std::vector<std::string> rule_ids() {
  std::vector<std::string> ids;
  for (const Rule* rule : all_rules()) ids.emplace_back(rule->id);
  return ids;
}

std::vector<std::string> subcommand_names() {
  std::vector<std::string> names;
  for (const Subcommand* each : all_subcommands()) names.emplace_back(each->name);
  return names;
}

Values values_of(const OptionUsage& option) {
  if (!option.choices.empty()) return {Kind::kChoice, option.choices};
  const std::string& word = option.positional ? option.names.front() : option.value;
  if (word.starts_with("RULE") && word.find('=') == std::string::npos)
    return {Kind::kChoice, rule_ids()};
  if (word == "SUBCOMMAND") return {Kind::kChoice, subcommand_names()};
  if (word == "DIR" || word == "FOLDER") return {Kind::kFolder, {}};
  if (word.starts_with("FILE") || word == "RUN" || word == "IN" || word == "OUT.smtpcap") {
    return {Kind::kFile, {}};
  }
  return {};
}

std::vector<CommandUsage> subcommands(const CLI::App& program) {
  std::vector<CommandUsage> all;
  for (const CLI::App* each : program.get_subcommands([](const CLI::App*) { return true; })) {
    all.push_back(describe(*each));
  }
  return all;
}

/// Its first argument, which stands for all of them, or none.
Values argument_of(const CommandUsage& command) {
  return command.positionals.empty() ? Values{} : values_of(command.positionals.front());
}

std::vector<std::string> all_names(const CommandUsage& command) {
  std::vector<std::string> names;
  for (const OptionUsage& each : command.options) {
    names.insert(names.end(), each.names.begin(), each.names.end());
  }
  return names;
}

std::string bash_reply(const Values& values) {
  switch (values.kind) {
    case Kind::kChoice:
      return fmt::format("_smtpscope_words '{}'", fmt::join(values.choices, " "));
    case Kind::kFile:
      return "_smtpscope_files -f";
    case Kind::kFolder:
      return "_smtpscope_files -d";
    case Kind::kOther:
      break;
  }
  return ":";
}

/// `text` between single quotes, for fish and zsh.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

/// A description as it stands in an argument of zsh's _arguments.
std::string zsh_words(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("[]:\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_action(const Values& values) {
  switch (values.kind) {
    case Kind::kChoice:
      return fmt::format("({})", fmt::join(values.choices, " "));
    case Kind::kFile:
      return "_files";
    case Kind::kFolder:
      return "_files -/";
    case Kind::kOther:
      break;
  }
  return " ";
}

std::string fish_arguments(const Values& values) {
  switch (values.kind) {
    case Kind::kChoice:
      return fmt::format(" -xa {}",
                         shell_quoted(fmt::format("{}", fmt::join(values.choices, " "))));
    case Kind::kFile:
      return " -rF";
    case Kind::kFolder:
      return " -xa '(__fish_complete_directories)'";
    case Kind::kOther:
      break;
  }
  return " -x";
}

}  // namespace

std::string bash_completion(const CLI::App& program) {
  std::string out =
      "# bash completion for smtpscope, made by `smtpscope completion bash`\n"
      "\n"
      "_smtpscope_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\"); }\n"
      "_smtpscope_files() {\n"
      "  compopt -o filenames 2>/dev/null\n"
      "  mapfile -t COMPREPLY < <(compgen \"$1\" -- \"$cur\")\n"
      "}\n"
      "\n"
      "_smtpscope() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command='' i\n"
      "  COMPREPLY=()\n"
      "  # bash takes --option=value apart at the sign\n"
      "  if [[ $cur == = ]]; then\n"
      "    cur=''\n"
      "  elif [[ $prev == = ]]; then\n"
      "    prev=${COMP_WORDS[COMP_CWORD-2]}\n"
      "  fi\n"
      "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
      "    if [[ ${COMP_WORDS[i]} != -* ]]; then command=${COMP_WORDS[i]}; break; fi\n"
      "  done\n"
      "  case $command in\n";
  const auto to = std::back_inserter(out);
  fmt::format_to(to, "    '') _smtpscope_words '{} {}' ;;\n", fmt::join(subcommand_names(), " "),
                 fmt::join(option_names(program), " "));
  for (const CommandUsage& command : subcommands(program)) {
    fmt::format_to(to, "    {})\n      case $prev in\n", command.subcommand->name);
    for (const OptionUsage& each : command.options) {
      if (each.value.empty()) continue;
      fmt::format_to(to, "        {}) {}; return ;;\n", fmt::join(each.names, "|"),
                     bash_reply(values_of(each)));
    }
    fmt::format_to(to,
                   "      esac\n"
                   "      if [[ $cur == -* ]]; then\n"
                   "        _smtpscope_words '{}'\n"
                   "      else\n"
                   "        {}\n"
                   "      fi ;;\n",
                   fmt::join(all_names(command), " "), bash_reply(argument_of(command)));
  }
  return out +
         "  esac\n"
         "}\n"
         "complete -F _smtpscope smtpscope\n";
}

std::string zsh_completion(const CLI::App& program) {
  std::string out =
      "#compdef smtpscope\n"
      "# zsh completion for smtpscope, made by `smtpscope completion zsh`\n"
      "\n"
      "local -a commands\n"
      "commands=(\n";
  const auto to = std::back_inserter(out);
  const std::vector<CommandUsage> all = subcommands(program);
  for (const CommandUsage& command : all) {
    fmt::format_to(to, "  {}\n",
                   shell_quoted(fmt::format("{}:{}", command.subcommand->name,
                                            zsh_words(command.description))));
  }
  out +=
      ")\n"
      "if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
      "  _describe -t commands 'subcommand' commands\n"
      "  return\n"
      "fi\n"
      "local command=$words[2]\n"
      "if [[ $command != -* ]]; then\n"
      "  shift words\n"
      "  (( CURRENT-- ))\n"
      "fi\n"
      "case $command in\n";
  const auto put = [&](const CommandUsage& command) {
    out += "    _arguments -s";
    for (const OptionUsage& each : command.options) {
      // Names of one option exclude each other, unless it may come again.
      for (const std::string& name : each.names) {
        std::string spec = each.repeatable ? "*" : fmt::format("({})", fmt::join(each.names, " "));
        spec += name;
        spec += each.value.empty() || name.size() == 2 ? "" : "=";
        if (!each.value.empty() && name.size() == 2) spec += "+";
        spec += fmt::format("[{}]", zsh_words(explanation(each)));
        if (!each.value.empty()) {
          spec += fmt::format("{}{}:{}", each.value_optional ? "::" : ":", zsh_words(each.value),
                              zsh_action(values_of(each)));
        }
        fmt::format_to(to, " \\\n      {}", shell_quoted(spec));
      }
    }
    for (const OptionUsage& each : command.positionals) {
      fmt::format_to(
          to, " \\\n      {}",
          shell_quoted(fmt::format("{}:{}:{}", each.repeatable ? "*" : "1",
                                   zsh_words(each.names.front()), zsh_action(values_of(each)))));
    }
    out += " ;;\n";
  };
  for (const CommandUsage& command : all) {
    fmt::format_to(to, "  {})\n", command.subcommand->name);
    put(command);
  }
  out += "  *)\n";
  put(describe(program));
  return out + "esac\n";
}

std::string fish_completion(const CLI::App& program) {
  std::string out =
      "# fish completion for smtpscope, made by `smtpscope completion fish`\n"
      "\n"
      "complete -c smtpscope -f\n";
  const auto to = std::back_inserter(out);
  const auto put = [&](const CommandUsage& command, std::string_view when) {
    for (const OptionUsage& each : command.options) {
      fmt::format_to(to, "complete -c smtpscope -n {}", shell_quoted(when));
      for (const std::string& name : each.names) {
        fmt::format_to(to, " {} {}", name.size() == 2 ? "-s" : "-l",
                       name.substr(name.find_first_not_of('-')));
      }
      // Of an optional value fish would make one that has to be there.
      if (!each.value.empty() && !each.value_optional) out += fish_arguments(values_of(each));
      fmt::format_to(to, " -d {}\n", shell_quoted(each.description));
    }
  };
  put(describe(program), "__fish_use_subcommand");
  for (const CommandUsage& command : subcommands(program)) {
    const std::string_view name = command.subcommand->name;
    fmt::format_to(to, "complete -c smtpscope -n __fish_use_subcommand -a {} -d {}\n", name,
                   shell_quoted(command.description));
    const std::string when = fmt::format("__fish_seen_subcommand_from {}", name);
    put(command, when);
    const Values values = argument_of(command);
    if (values.kind == Kind::kFile) {
      fmt::format_to(to, "complete -c smtpscope -n {} -F\n", shell_quoted(when));
    } else if (values.kind != Kind::kOther) {
      fmt::format_to(to, "complete -c smtpscope -n {}{}\n", shell_quoted(when),
                     fish_arguments(values));
    }
  }
  return out;
}

}  // namespace smtpscope
