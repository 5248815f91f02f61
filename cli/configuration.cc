#include "cli/configuration.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <utility>

#include "base/ascii.h"
#include "base/lines.h"
#include "base/system_error.h"
#include "cli/nearest_name.h"

namespace smtpscope {
namespace {

/// A configuration is some lines; whatever is larger is another file, or a device.
constexpr std::size_t kLargest = 1024 * 1024;

/// What only makes sense while the command line is read.
constexpr std::string_view kNotInFiles[] = {"help", "config", "check"};

/// What sections begin with, and how long the names of routes may be: they stand in front of
/// notices and beside sessions.
constexpr std::string_view kRoute = "route";
constexpr std::size_t kLongestName = 32;

bool is_barred(std::string_view name) {
  return std::ranges::find(kNotInFiles, name) != std::end(kNotInFiles);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t from = text.find_first_not_of(kBlank);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kBlank) - from + 1);
}

bool is_flag(const CLI::Option& option) { return option.get_items_expected_max() == 0; }

/// May stand several times: one value each time, all of them count.
bool is_list(const CLI::Option& option) {
  return option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll ||
         option.get_expected_max() > 1;
}

/// They name sockets, too (systemd.socket(5), FileDescriptorName=), where a dot has a meaning.
bool is_route_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && std::ranges::all_of(name, [](char c) {
    return is_alphanumeric(c) || c == '-' || c == '_';
  });
}

/// `words` quote the value, or a part of it where it is a list.
bool is_quoted(std::string_view value, std::string_view words) {
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view part = value.substr(0, comma);
    // Short values without quotation marks may be words of the message itself.
    constexpr std::size_t kTelling = 5;
    const auto told = [words](const std::string& text) {
      return words.find(text) != std::string_view::npos;
    };
    if (!part.empty() && (told(fmt::format("'{}'", part)) || told(fmt::format(": {}", part)))) {
      return true;
    }
    if (part.size() >= kTelling &&
        (told(fmt::format(" {}:", part)) || told(fmt::format(" {} ", part)))) {
      return true;
    }
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
  return false;
}

}  // namespace

Result<Configuration> Configuration::read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  if (file) {
    text.resize(kLargest + 1);
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
  }
  if (!file.is_open() || file.bad()) {
    return Error{fmt::format("cannot read {}: {}", path, system_words(errno))};
  }
  if (text.size() > kLargest) return Error{fmt::format("{} is too long for a configuration", path)};
  return parse(path, text);
}

Result<Configuration> Configuration::parse(const std::string& path, std::string_view text) {
  Configuration read(path);
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const std::string_view whole = take_line(text);
    const std::string_view line = trimmed(whole);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    const auto place = [&](std::string_view part) {
      return ConfigurationSection::Place{number,
                                         static_cast<std::size_t>(part.data() - whole.data()) + 1};
    };
    if (line.front() == '[') {
      if (auto added = read.add_section(line, place(line)); !added) return added.error();
      continue;
    }
    ConfigurationSection& section = read.routes_.empty() ? read.main_ : read.routes_.back();
    const std::size_t equals = line.find('=');
    const std::string_view name = trimmed(line.substr(0, equals));
    if (name.empty()) {
      return section.error_at(place(line), "there is no name before the '='");
    }
    const bool bare = equals == std::string_view::npos;
    const std::string_view value = bare ? std::string_view{} : trimmed(line.substr(equals + 1));
    section.entries_.push_back({std::string(name), std::string(value), bare, place(name),
                                value.empty() ? place(name) : place(value), false});
  }
  return read;
}

Result<Done> Configuration::add_section(std::string_view line, ConfigurationSection::Place at) {
  const std::string_view inside =
      line.back() == ']' ? trimmed(line.substr(1, line.size() - 2)) : std::string_view{};
  const std::size_t blank = std::min(inside.find_first_of(" \t"), inside.size());
  if (inside.substr(0, blank) != kRoute) {
    return main_.error_at(at, fmt::format("there is no section '{}'; write [route NAME]", line));
  }
  const std::string_view name = trimmed(inside.substr(blank));
  if (!is_route_name(name)) {
    return main_.error_at(
        at, fmt::format("'{}' is no name of a route: give up to {} letters, digits, '-' and '_', "
                        "such as [route submission]",
                        name, kLongestName));
  }
  for (const ConfigurationSection& each : routes_) {
    if (each.name_ != name) continue;
    return main_.error_at(
        at, fmt::format("route {} is given a second time; the first is in line {}", name,
                        each.at_.line));
  }
  routes_.push_back(ConfigurationSection(path(), std::string(name), at));
  return Done{};
}

Error ConfigurationSection::error_at(const Place& place, std::string_view words) const {
  return {fmt::format("{}:{}:{}: {}", path_, place.line, place.column, words)};
}

Result<CLI::Option*> ConfigurationSection::find_option(CLI::App& app, const Entry& entry) const {
  std::vector<std::string_view> names;
  for (CLI::Option* option : app.get_options(std::function<bool(CLI::Option*)>())) {
    for (const std::string& name : option->get_lnames()) {
      if (name == entry.name) return option;
      if (!is_barred(name)) names.push_back(name);
    }
  }
  // The names live as long as the options do.
  std::string_view typed = entry.name;
  typed.remove_prefix(std::min(typed.find_first_not_of('-'), typed.size()));
  const std::string_view near = nearest_name(typed, names);
  if (near.empty()) {
    return error_at(entry.at, fmt::format("there is no option '{}'; 'smtpscope help {}' lists them",
                                          entry.name, app.get_name()));
  }
  return error_at(entry.at,
                  fmt::format("there is no option '{}'. Did you mean '{}'?", entry.name, near));
}

Result<Done> ConfigurationSection::add(CLI::Option& option, const Entry& entry) const {
  constexpr std::string_view kYes[] = {"yes", "true", "on"};
  constexpr std::string_view kNo[] = {"no", "false", "off"};
  const bool yes = entry.bare || std::ranges::find(kYes, entry.value) != std::end(kYes);
  if (is_flag(option)) {
    if (yes) {
      option.add_result("true");
    } else if (std::ranges::find(kNo, entry.value) == std::end(kNo)) {
      return error_at(entry.value_at,
                      fmt::format("{}: '{}' is neither yes nor no", entry.name, entry.value));
    }
    return Done{};
  }
  if (entry.bare && option.get_expected_min() == 0) {
    option.add_result(option.get_default_str());
    return Done{};
  }
  if (entry.value.empty()) {
    return error_at(entry.at, fmt::format("{} needs a value: {} = {}", entry.name, entry.name,
                                          option.get_type_name()));
  }
  option.add_result(entry.value);
  return Done{};
}

Result<Done> ConfigurationSection::apply(CLI::App& app, const WhyNot& why_not) {
  std::map<CLI::Option*, std::size_t> given;  // and the line
  for (Entry& entry : entries_) {
    if (is_barred(entry.name)) {
      return error_at(entry.at, fmt::format("'{}' can only stand on the command line", entry.name));
    }
    if (const std::string words = why_not ? why_not(entry.name) : std::string(); !words.empty()) {
      return error_at(entry.at, words);
    }
    auto found = find_option(app, entry);
    if (!found) return found.error();
    CLI::Option& option = *found.value();
    const auto [first, anew] = given.try_emplace(&option, entry.at.line);
    entry.overruled = anew ? option.count() > 0 : first->second == 0;
    if (entry.overruled) {
      first->second = 0;
      continue;
    }
    if (!anew && !is_list(option)) {
      return error_at(entry.at, fmt::format("{} is given a second time; the first is in line {}",
                                            entry.name, first->second));
    }
    if (auto added = add(option, entry); !added) return added;
  }
  for (const auto& [option, line] : given) {
    if (line == 0 || option->count() == 0) continue;
    try {
      option->run_callback();
    } catch (const CLI::ParseError& error) {
      return placed({error.what()});
    }
  }
  return Done{};
}

Error ConfigurationSection::placed(const Error& error) const {
  const std::string& words = error.message;
  const Entry* best = nullptr;
  int best_signs = 0;
  for (const Entry& entry : entries_) {
    if (entry.overruled) continue;
    const std::size_t name = words.find("--" + entry.name);
    // "--upstream" is not meant by "--upstream-tls".
    const std::size_t end = name + 2 + entry.name.size();
    const bool named = name != std::string::npos &&
                       (end >= words.size() || (words[end] != '-' && !is_alphanumeric(words[end])));
    const bool quoted = is_quoted(entry.value, words);
    const int signs = (named ? 2 : 0) + (quoted ? 1 : 0);
    if (signs > best_signs) {
      best = &entry;
      best_signs = signs;
    }
  }
  const std::string told = name_.empty() ? words : fmt::format("route {}: {}", name_, words);
  if (best != nullptr) return error_at(best->value_at, told);
  return name_.empty() ? Error{fmt::format("{}: {}", path_, told)} : error_at(at_, told);
}

Error ConfigurationSection::each_placed(const Error& faults) const {
  std::string all;
  std::string_view text = faults.message;
  while (!text.empty()) {
    all += fmt::format("{}{}", all.empty() ? "" : "\n",
                       placed({std::string(take_line(text))}).message);
  }
  return {all};
}

}  // namespace smtpscope
