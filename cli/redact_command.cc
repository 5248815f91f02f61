#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "cli/file_output.h"
#include "cli/redaction.h"
#include "cli/subcommand.h"

namespace smtpscope {
namespace {

struct RedactArguments {
  RedactionOptions redaction;
  std::string output;
  bool force = false;
  bool report = false;
};

int run(const RedactArguments& arguments) {
  const Result<Redaction> done =
      redact_capture(arguments.redaction, arguments.output, arguments.force);
  if (!done) return fail(done.error().message);
  for (const std::string& notice : done.value().notices) static_cast<void>(fail(notice));
  if (done.value().key_made) {
    static_cast<void>(
        fail(fmt::format("made a new key, {}: anyone who has it can test guesses at names",
                         arguments.redaction.key)));
  }
  return arguments.report ? print(redaction_report(done.value())) : kExitFine;
}

std::function<int()> declare_redact(CLI::App& app) {
  auto arguments = std::make_shared<RedactArguments>();
  add_redaction_options(app, arguments->redaction);
  app.option_defaults()->group("Output");
  app.add_option("-o,--output", arguments->output, "The redacted capture, readable only by you")
      ->type_name("OUT.smtpcap")
      ->required();
  app.add_flag("--force", arguments->force, "Overwrite OUT if it exists");
  app.add_flag("--report", arguments->report,
               "Print which kinds of names were replaced, and how many; no originals");
  return [arguments] { return run(*arguments); };
}

}  // namespace

const Subcommand kRedactCommand = {
    .name = "redact",
    .description = "Write a copy of a capture with pseudonyms for names, to show to others",
    .examples =
        "  smtpscope redact today.smtpcap -o public.smtpcap --report\n"
        "  smtpscope redact today.smtpcap -o public.smtpcap --body shape\n"
        "  smtpscope redact monday.smtpcap -o a.smtpcap --key names.key     the same names ...\n"
        "  smtpscope redact tuesday.smtpcap -o b.smtpcap --key names.key    ... in both files\n"
        "It cannot know every name: first names and initials in sentences and numbers of up to 4\n"
        "digits may be left. What is replaced, what is not, and how to check it: "
        "docs/redaction.md\n",
    .declare = declare_redact,
};

}  // namespace smtpscope
