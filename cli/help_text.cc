#include "cli/help_text.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iterator>
#include <string_view>
#include <vector>

#include "exporters/text/text_width.h"

namespace smtpscope {
namespace {

/// Where descriptions begin.
constexpr std::size_t kIndent = 26;

/// A name and what it means; a long name has a line of its own.
void put_row(std::string& out, const std::string& name, const std::string& meaning,
             std::size_t width) {
  std::string first = "  " + name;
  if (first.size() + 2 > kIndent) {
    out += first + '\n';
    first.clear();
  }
  first.resize(kIndent, ' ');
  put_wrapped(out, first, meaning, width);
}

}  // namespace

std::string help_text(const CLI::App& app, std::size_t width) {
  const CommandUsage command = describe(app);
  std::string out = fmt::format("Usage: {}\n\n", usage(command));
  put_wrapped(out, "", command.description + ".", width);
  if (!command.positionals.empty()) out += "\nArguments:\n";
  for (const OptionUsage& each : command.positionals) {
    put_row(out, each.names.front(), explanation(each), width);
  }
  std::string_view group;
  for (const OptionUsage& each : command.options) {
    if (each.group != group) out += fmt::format("\n{}:\n", each.group);
    group = each.group;
    put_row(out, synopsis(each), explanation(each), width);
  }
  const auto subcommands = app.get_subcommands([](const CLI::App*) { return true; });
  if (!subcommands.empty()) out += "\nSubcommands:\n";
  for (const CLI::App* each : subcommands) {
    put_row(out, each->get_name(), each->get_description(), width);
  }
  return out + "\n" + app.get_footer();
}

}  // namespace smtpscope
