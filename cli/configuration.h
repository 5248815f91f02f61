#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace smtpscope {

/// The options of a section of a configuration, or those above the first one.
///
/// What is wrong is told with file, line and column, and what was probably meant.
class ConfigurationSection {
 public:
  /// Why an option may not stand here, by its name without hyphens; "" if it may.
  using WhyNot = std::function<std::string(std::string_view name)>;

  /// "" above the first section.
  const std::string& name() const { return name_; }

  /// Gives the options of `app` what the section says of them. Those that have something from the
  /// command line keep it.
  Result<Done> apply(CLI::App& app, const WhyNot& why_not = {});

  /// The same error, with the place that brought it about in front, as far as its words tell; else
  /// that of the section. A route's has its name.
  Error placed(const Error& error) const;
  /// Likewise of an error that has a fault on each line.
  Error each_placed(const Error& faults) const;

 private:
  friend class Configuration;

  struct Place {
    std::size_t line = 0;  // 0: all of the file
    std::size_t column = 1;
  };
  struct Entry {
    std::string name;
    std::string value;
    bool bare = false;  // without an equals sign
    Place at;
    Place value_at;
    bool overruled = false;  // by the command line
  };

  ConfigurationSection(std::string path, std::string name, Place at)
      : path_(std::move(path)), name_(std::move(name)), at_(at) {}
  Error error_at(const Place& place, std::string_view words) const;
  Result<CLI::Option*> find_option(CLI::App& app, const Entry& entry) const;
  Result<Done> add(CLI::Option& option, const Entry& entry) const;

  std::string path_;
  std::string name_;
  Place at_;
  std::vector<Entry> entries_;
};

/// A file of options, one on a line: "name = value", or a name alone for a flag. Below a line
/// "[route NAME]" stand those of a route. CLI11's own reader would take values apart at blanks and
/// commas, pass over short lines, and not know where it is.
class Configuration {
 public:
  /// Of a file on the disk.
  static Result<Configuration> read(const std::string& path);
  /// Of what stands in it.
  static Result<Configuration> parse(const std::string& path, std::string_view text);

  const std::string& path() const { return main_.path_; }
  /// What stands above the first section.
  ConfigurationSection& main() { return main_; }
  const ConfigurationSection& main() const { return main_; }
  /// One for each route, each with a name of its own.
  std::vector<ConfigurationSection>& routes() { return routes_; }
  const std::vector<ConfigurationSection>& routes() const { return routes_; }

 private:
  explicit Configuration(std::string path) : main_(std::move(path), "", {}) {}
  Result<Done> add_section(std::string_view line, ConfigurationSection::Place at);

  ConfigurationSection main_;
  std::vector<ConfigurationSection> routes_;
};

}  // namespace smtpscope
