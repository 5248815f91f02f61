#include "cli/command_usage.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>

namespace smtpscope {
namespace {

/// Longer lists stand in the description, so that the option's own line stays a line.
constexpr std::size_t kLongestChoices = 32;
/// Of the options that every command has.
constexpr std::string_view kLastGroup = "General";

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// What check() was given says itself in CLI11's words, behind the type's name: "TEXT:{a,b}".
std::vector<std::string> take_checks(const CLI::Option& option, std::string& type) {
  std::vector<std::string> choices;
  // Only the getter lacks its const.
  auto& its = const_cast<CLI::Option&>(option);
  std::vector<std::string> checks;
  try {
    for (int i = 0;; ++i) checks.push_back(its.get_validator(i)->get_description());
  } catch (const CLI::OptionNotFound&) {  // that was the last one
  }
  for (auto check = checks.rbegin(); check != checks.rend(); ++check) {
    if (check->empty()) continue;
    if (type.ends_with(":" + *check)) type.resize(type.size() - check->size() - 1);
    if (check->starts_with('{') && check->ends_with('}')) {
      choices = split(check->substr(1, check->size() - 2), ',');
    }
  }
  return choices;
}

/// "pass|intercept|strip" is its own list of choices; "HOST:PORT|sink" is not.
bool is_list_of_words(std::string_view type) {
  return type.find('|') != std::string_view::npos &&
         type.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-|") == std::string_view::npos;
}

/// CLI11 names types of its own where the definition does not.
std::string plain_value(const std::string& type) {
  if (type == "INT" || type == "UINT") return "N";
  if (type == "FLOAT") return "X";
  return type == "TEXT" ? "WORD" : type;
}

OptionUsage option_words(const CLI::Option& option) {
  OptionUsage words;
  words.positional = option.get_positional();
  words.description = option.get_description();
  words.group = option.get_group();
  words.required = option.get_required();
  words.repeatable = option.get_expected_max() > 1 ||
                     option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
  if (words.positional) {
    words.names = {option.get_name(true, false)};
    return words;
  }
  for (const std::string& name : option.get_snames()) words.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) words.names.push_back("--" + name);
  if (option.get_items_expected_max() == 0) return words;

  std::string type = option.get_type_name();
  words.choices = take_checks(option, type);
  words.value_optional = option.get_expected_min() == 0;
  if (is_list_of_words(type)) words.choices = split(type, '|');
  const std::string joined = fmt::format("{}", fmt::join(words.choices, "|"));
  if (words.choices.empty() || joined.size() > kLongestChoices) {
    words.value = plain_value(type);
  } else {
    words.value = joined;
  }
  if (joined.size() > kLongestChoices) {
    words.description += fmt::format(": {}", fmt::join(words.choices, ", "));
  }
  // Of an option whose value may be left out it is what stands for it then.
  words.preset = words.value_optional ? "off" : option.get_default_str();
  if (words.preset.starts_with('[') && words.preset.ends_with(']')) {
    words.preset = words.preset.substr(1, words.preset.size() - 2);
  }
  return words;
}

const Subcommand* subcommand_of(const CLI::App& app) {
  const auto all = all_subcommands();
  const auto found = std::ranges::find_if(
      all, [&](const Subcommand* each) { return each->name == app.get_name(); });
  return app.get_parent() == nullptr || found == all.end() ? nullptr : *found;
}

}  // namespace

CommandUsage describe(const CLI::App& app) {
  CommandUsage words;
  words.subcommand = subcommand_of(app);
  words.name = app.get_parent() == nullptr ? app.get_name()
                                           : app.get_parent()->get_name() + " " + app.get_name();
  words.description = app.get_description();
  std::vector<std::string> groups;
  std::vector<OptionUsage> found;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;  // CLI11's sign for hidden
    OptionUsage each = option_words(*option);
    if (each.positional) {
      words.positionals.push_back(std::move(each));
      continue;
    }
    if (std::ranges::find(groups, each.group) == groups.end()) groups.push_back(each.group);
    found.push_back(std::move(each));
  }
  std::stable_partition(groups.begin(), groups.end(),
                        [](const std::string& name) { return name != kLastGroup; });
  for (const std::string& group : groups) {
    for (const OptionUsage& each : found) {
      if (each.group == group) words.options.push_back(each);
    }
  }
  return words;
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const OptionUsage& option : describe(app).options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return names;
}

std::string synopsis(const OptionUsage& option) {
  std::string text = fmt::format("{}", fmt::join(option.names, ", "));
  if (option.value_optional) return text + fmt::format(" [{}]", option.value);
  return option.value.empty() ? text : text + " " + option.value;
}

std::string usage(const CommandUsage& command) {
  std::string text = command.name;
  if (!command.options.empty()) text += " [OPTIONS]";
  if (command.subcommand == nullptr) text += " SUBCOMMAND";
  for (const OptionUsage& each : command.positionals) {
    const std::string name = each.names.front() + (each.repeatable ? "..." : "");
    text += each.required ? " " + name : " [" + name + "]";
  }
  return text;
}

std::string explanation(const OptionUsage& option) {
  std::string text = option.description;
  if (!text.empty() && text.back() != '.' && text.back() != '?' && text.back() != ')') text += '.';
  if (text.ends_with(')')) text += '.';
  if (option.required && !option.positional) text += " Required.";
  if (!option.preset.empty()) text += fmt::format(" [default: {}]", option.preset);
  return text;
}

}  // namespace smtpscope
