#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_usage.h"
#include "cli/help_text.h"
#include "cli/nearest_name.h"
#include "cli/subcommand.h"
#include "cli/terminal.h"

namespace smtpscope {
namespace {

constexpr std::string_view kAbout =
    "smtpscope sits between an SMTP client and a mail server, relays every octet untouched, and "
    "shows what happened, when, and on which side to look";

constexpr std::string_view kFirstSteps =
    "First steps:\n"
    "  smtpscope demo                                   see what it does, no server needed\n"
    "  smtpscope proxy --listen 2525 --upstream mx.example:25 -w today.smtpcap\n"
    "  smtpscope show today.smtpcap                     the annotated timeline\n"
    "  smtpscope explain rset-noop                      what an annotation means\n"
    "  smtpscope help proxy                             the options of a subcommand\n"
    "\n"
    "Exit status: 0 fine, 1 a check found something, 2 wrong usage or the job failed.\n";

/// What nobody expected on the command line; of an option the one that was probably meant.
int unexpected_argument(const CLI::App& app, std::string_view command, std::string_view typed) {
  const std::string see = fmt::format("see '{} --help'", command);
  if (!typed.starts_with('-') || typed == "-") {
    return fail(fmt::format("'{}' was not expected; {}", typed, see));
  }
  const std::string_view name = typed.substr(0, typed.find('='));
  const std::vector<std::string> names = option_names(app);
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string_view near = name.starts_with("--") ? nearest_name(name, views) : "";
  if (near.empty()) return fail(fmt::format("there is no option '{}'; {}", name, see));
  return fail(fmt::format("there is no option '{}'. Did you mean '{}'? {}", name, near, see));
}

/// Whoever starts a daemon may close the standard streams (<&- >&-). The next file or socket to be
/// opened would then take the place of one, and messages would go into it. What stands for standard
/// input and output can only be used the wrong way round: to read or write there is an error, as if
/// they were closed. Messages nobody wanted.
bool occupy_standard_streams() {
  constexpr int kModes[] = {O_WRONLY, O_RDONLY, O_WRONLY};
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (::fcntl(stream, F_GETFD) >= 0) continue;
    // The lowest free descriptor is taken, which is this one.
    if (::open("/dev/null", kModes[stream]) != stream) return false;
  }
  return true;
}

/// What CLI11 adds by itself to each command.
void name_general_options(CLI::App& app) {
  app.get_help_ptr()->description("Print this help and exit")->group("General");
  if (CLI::Option* version = app.get_version_ptr()) {
    version->description("Print the version and exit")->group("General");
  }
}

int run(int argc, char** argv) {
  CLI::App app{std::string(kAbout), "smtpscope"};
  app.set_version_flag("--version", "smtpscope " SMTPSCOPE_VERSION);
  app.footer(std::string(kFirstSteps));
  app.require_subcommand(1);
  app.formatter_fn([](const CLI::App* which, const std::string&, CLI::AppFormatMode) {
    return help_text(*which, reading_width(STDOUT_FILENO));
  });
  name_general_options(app);

  std::function<int()> job;
  for (const Subcommand* command : all_subcommands()) {
    CLI::App* sub =
        app.add_subcommand(std::string(command->name), std::string(command->description));
    sub->footer(
        fmt::format("Examples:\n{}\nExit status: {}\n", command->examples, command->exit_status));
    name_general_options(*sub);
    sub->final_callback([&job, run_it = command->declare(*sub)] { job = run_it; });
  }

  if (argc < 2) {
    std::fputs(app.help().c_str(), stderr);
    return kExitFailure;
  }
  const std::string_view first = argv[1];
  if (!first.starts_with('-') && find_subcommand(first) == nullptr)
    return unknown_subcommand(first);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {  // --help, --version
    return app.exit(wanted);
  } catch (const CLI::ParseError& error) {
    const CLI::App* where = &app;
    for (const CLI::App* sub : app.get_subcommands()) where = sub;
    const std::string command = where == &app ? "smtpscope" : fmt::format("smtpscope {}", first);
    // First what is not known: that something is missing may be due to that.
    if (const auto rest = where->remaining(); !rest.empty()) {
      return unexpected_argument(*where, command, rest.front());
    }
    return fail(fmt::format("{}; see '{} --help'", error.what(), command));
  }
  return job();
}

}  // namespace
}  // namespace smtpscope

int main(int argc, char** argv) {
  if (!smtpscope::occupy_standard_streams()) return smtpscope::kExitFailure;
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
