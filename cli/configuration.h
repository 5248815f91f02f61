#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace smtpscope {

/// A file of options, one on a line: "name = value", or a name alone for a flag. CLI11's own reader
/// would take values apart at blanks and commas, pass over short lines, and not know where it is.
///
/// What is wrong is told with file and line, and what was probably meant.
class Configuration {
 public:
  /// Of a file on the disk.
  static Result<Configuration> read(const std::string& path);
  /// Of what stands in it.
  static Result<Configuration> parse(const std::string& path, std::string_view text);

  /// Gives the options of `app` what the file says of them. Those that have something from the
  /// command line keep it.
  Result<Done> apply(CLI::App& app);

  /// The same error, with the line that brought it about in front, as far as its words tell.
  Error placed(const Error& error) const;

 private:
  struct Entry {
    std::string name;
    std::string value;
    bool bare = false;  // without an equals sign
    std::size_t line = 0;
    bool overruled = false;  // by the command line
  };

  explicit Configuration(std::string path) : path_(std::move(path)) {}
  Error at(std::size_t line, std::string_view words) const;
  Result<CLI::Option*> find_option(CLI::App& app, const Entry& entry) const;
  Result<Done> add(CLI::Option& option, const Entry& entry) const;

  std::string path_;
  std::vector<Entry> entries_;
};

}  // namespace smtpscope
