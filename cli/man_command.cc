#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "cli/file_output.h"
#include "cli/man_page.h"
#include "cli/subcommand.h"

namespace smtpscope {
namespace {

/// smtpscope-rules(7), of no subcommand.
constexpr std::string_view kRulesPage = "smtpscope-rules.7";

int print_page(const std::string& page, const CLI::App& program) {
  if (page.empty()) return print(man_page(program));
  if (page == kRulesPage) return print(man_page_of_rules());
  if (find_subcommand(page) == nullptr) return unknown_subcommand(page);
  return print(man_page(*program.get_subcommand(page)));
}

std::function<int()> declare_man(CLI::App& app) {
  auto page = std::make_shared<std::string>();
  app.add_option("SUBCOMMAND", *page,
                 "Subcommand of which to print the page, or smtpscope-rules.7; the program's own "
                 "page without one");
  return [page, program = app.get_parent()] { return print_page(*page, *program); };
}

}  // namespace

const Subcommand kManCommand = {
    .name = "man",
    .description = "Print a manual page as source for scdoc",
    .examples =
        "  smtpscope man proxy | scdoc | man -l -                    read it, not installed\n"
        "  smtpscope man smtpscope-rules.7 | scdoc > smtpscope-rules.7\n",
    .declare = declare_man,
};

}  // namespace smtpscope
