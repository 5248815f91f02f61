#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/ascii.h"
#include "cli/file_output.h"
#include "cli/subcommand.h"
#include "cli/transparent_setup.h"

namespace smtpscope {
namespace {

struct SetupArguments {
  std::string what;
  std::string mode = "tproxy";
  TransparentSetup setup;
};

/// It goes into a script that root runs.
bool is_plain(const std::string& text) {
  for (const char c : text) {
    if (!is_alphanumeric(c) && c != '-' && c != '_' && c != '.' && c != '@') return false;
  }
  return true;
}

int run(SetupArguments& arguments) {
  if (arguments.what != "transparent") {
    return fail(
        fmt::format("nothing is known to set up for '{}'; it prints what --transparent needs: "
                    "smtpscope setup transparent",
                    arguments.what));
  }
  const auto mode = parse_transparent(arguments.mode, "--mode");
  if (!mode) return fail(mode.error().message);
  arguments.setup.mode = mode.value();
  if (!is_plain(arguments.setup.interface) || !is_plain(arguments.setup.user)) {
    return fail("--interface and --user: letters, digits and - _ . @ only");
  }
  return print(setup_script(arguments.setup));
}

std::function<int()> declare_setup(CLI::App& app) {
  auto arguments = std::make_shared<SetupArguments>();
  app.add_option("WHAT", arguments->what, "What to print the commands for: transparent")
      ->required();
  app.add_option(
         "--mode", arguments->mode,
         "tproxy: on a gateway. redirect: on the host of the clients, or a gateway with NAT")
      ->type_name("redirect|tproxy")
      ->capture_default_str();
  app.add_option("--listen", arguments->setup.port, "Port where smtpscope listens")
      ->type_name("PORT")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  app.add_option("--port", arguments->setup.server_port, "Port of the mail servers")
      ->type_name("PORT")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  app.add_option("--interface", arguments->setup.interface,
                 "Where clients' packets come in; without it, with redirect, programs of this host "
                 "are the clients")
      ->default_str("any")
      ->type_name("NAME");
  app.add_option("--user", arguments->setup.user,
                 "Whom smtpscope runs as: its own connections are left alone")
      ->type_name("NAME")
      ->capture_default_str();
  return [arguments] { return run(*arguments); };
}

}  // namespace

const Subcommand kSetupCommand = {
    .name = "setup",
    .description = "Print what the firewall and the routes need for proxy --transparent",
    .examples =
        "  smtpscope setup transparent --mode tproxy --interface lan0\n"
        "  smtpscope setup transparent --mode redirect --user smtpscope\n",
    .declare = declare_setup,
};

}  // namespace smtpscope
