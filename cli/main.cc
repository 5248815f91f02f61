#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/nearest_name.h"
#include "cli/subcommand.h"

namespace smtpscope {
namespace {

constexpr std::string_view kAbout =
    "smtpscope sits between an SMTP client and a mail server, relays every octet untouched, and\n"
    "tells what happened, when, and on which side to look.\n";

constexpr std::string_view kFirstSteps =
    "First steps:\n"
    "  smtpscope demo                                   see what it does, no server needed\n"
    "  smtpscope proxy --listen 2525 --upstream mx.example:25 -w today.smtpcap\n"
    "  smtpscope show today.smtpcap                     the annotated timeline\n"
    "  smtpscope explain rset-noop                      what an annotation means\n"
    "\n"
    "Exit status: 0 fine, 1 a check found something, 2 wrong usage or the job failed.\n";

/// The first argument looks like a subcommand but is none; says so and what was probably meant.
int unknown_subcommand(std::string_view typed) {
  std::vector<std::string_view> names;
  for (const Subcommand* command : all_subcommands()) names.push_back(command->name);
  const std::string_view near = nearest_name(typed, names);
  if (!near.empty()) {
    return fail(fmt::format("there is no subcommand '{}'. Did you mean '{}'?", typed, near));
  }
  return fail(
      fmt::format("there is no subcommand '{}'; they are: {}", typed, fmt::join(names, ", ")));
}

bool is_subcommand(std::string_view name) {
  for (const Subcommand* command : all_subcommands()) {
    if (command->name == name) return true;
  }
  return false;
}

int run(int argc, char** argv) {
  CLI::App app{std::string(kAbout), "smtpscope"};
  app.set_version_flag("--version", "smtpscope " SMTPSCOPE_VERSION);
  app.footer(std::string(kFirstSteps));
  app.require_subcommand(1);

  std::function<int()> job;
  for (const Subcommand* command : all_subcommands()) {
    CLI::App* sub =
        app.add_subcommand(std::string(command->name), std::string(command->description));
    sub->footer(fmt::format("Examples:\n{}", command->examples));
    sub->final_callback([&job, run_it = command->declare(*sub)] { job = run_it; });
  }

  if (argc < 2) {
    std::fputs(app.help().c_str(), stderr);
    return kExitFailure;
  }
  const std::string_view first = argv[1];
  if (!first.starts_with('-') && !is_subcommand(first)) return unknown_subcommand(first);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {  // --help, --version
    return app.exit(wanted);
  } catch (const CLI::ParseError& error) {
    // CLI11 would rather complain of the missing subcommand.
    if (!is_subcommand(first)) {
      return fail(fmt::format("there is no option '{}'; see 'smtpscope --help'", first));
    }
    return fail(fmt::format("{}; see 'smtpscope {} --help'", error.what(), first));
  }
  return job();
}

}  // namespace
}  // namespace smtpscope

int main(int argc, char** argv) {
  // A reader that has gone (show | head) is an error of write(2), not the death of a relay.
  std::signal(SIGPIPE, SIG_IGN);
  // What the terminal can display; nothing else depends on the locale.
  std::setlocale(LC_CTYPE, "");
  try {
    return smtpscope::run(argc, argv);
  } catch (const std::exception& error) {  // out of memory, or a bug; nothing else is thrown so far
    std::fprintf(stderr, "smtpscope: cannot go on: %s\n", error.what());
    return smtpscope::kExitFailure;
  }
}
