#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "cli/file_output.h"
#include "cli/help_text.h"
#include "cli/subcommand.h"
#include "cli/terminal.h"

namespace smtpscope {
namespace {

std::function<int()> declare_help(CLI::App& app) {
  auto name = std::make_shared<std::string>();
  app.add_option("SUBCOMMAND", *name, "Subcommand to explain; the program itself without one");
  return [name, program = app.get_parent()] {
    // Its help() would be that of the subcommand that runs, which is this one.
    const std::size_t width = reading_width(STDOUT_FILENO);
    if (name->empty()) return print(help_text(*program, width));
    if (find_subcommand(*name) == nullptr) return unknown_subcommand(*name);
    return print(help_text(*program->get_subcommand(*name), width));
  };
}

}  // namespace

const Subcommand kHelpCommand = {
    .name = "help",
    .description = "Print the options of a subcommand, the same as its --help",
    .examples = "  smtpscope help proxy\n",
    .declare = declare_help,
};

}  // namespace smtpscope
