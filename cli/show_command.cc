#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/file_output.h"
#include "cli/folder_output.h"
#include "cli/rendering.h"
#include "cli/rule_options.h"
#include "cli/show_run.h"
#include "cli/subcommand.h"
#include "cli/terminal.h"
#include "exporters/exporter.h"
#include "timeline/severity.h"

namespace smtpscope {
namespace {

constexpr std::string_view kStandardOutput = "-";

/// More threads than that help nobody, and each has a file open.
constexpr int kMaxJobs = 256;

struct ShowArguments {
  ShowOptions show;
  RuleOptions rules;
  std::string output;  // "": standard output
  bool force = false;
};

int run_into_folder(const ShowArguments& arguments) {
  if (arguments.output.empty() || arguments.output == kStandardOutput) {
    return fail(fmt::format("-f {} makes a file of each message; say with -o which folder for",
                            arguments.show.rendering.format));
  }
  Result<FolderOutput> folder = FolderOutput::create(arguments.output, arguments.force);
  if (!folder) return fail(folder.error().message);
  FileOutput nothing;
  return ShowRun(arguments.show, nothing, &folder.value()).run();
}

int run(ShowArguments& arguments) {
  ShowOptions& options = arguments.show;
  Result<RuleSet> rules = make_rules(arguments.rules);
  if (!rules) return fail(rules.error().message);
  options.rules = std::move(rules.value());
  if (options.follow && options.files.size() != 1) {
    return fail("--follow follows one file; give one");
  }
  const ExporterKind& format = *find_exporter(options.rendering.format);
  if (format.target == ExporterTarget::kFolder) return run_into_folder(arguments);
  if (arguments.output.empty() || arguments.output == kStandardOutput) {
    FileOutput output;
    if (format.target == ExporterTarget::kBinary && is_terminal(output.descriptor())) {
      return fail(fmt::format("{} is not for a terminal; write it to a file with -o, or to a pipe",
                              format.name));
    }
    return ShowRun(options, output, nullptr).run();
  }
  Result<FileOutput> output = FileOutput::create(arguments.output, arguments.force, options.files);
  if (!output) return fail(output.error().message);
  return ShowRun(options, output.value(), nullptr).run();
}

std::vector<std::string> severities() {
  std::vector<std::string> names;
  for (const Severity severity :
       {Severity::kInfo, Severity::kNotice, Severity::kWarning, Severity::kError}) {
    names.emplace_back(to_string(severity));
  }
  return names;
}

std::function<int()> declare_show(CLI::App& app) {
  auto arguments = std::make_shared<ShowArguments>();
  ShowOptions* const options = &arguments->show;
  app.add_option("FILE", options->files,
                 "Captures of ours or of packets (.smtpcap, pcap, pcapng), logs of Postfix, Exim, "
                 "Exchange, sSMTP, swaks; gzipped or not; - is standard input")
      ->required();
  add_rendering_options(app, options->rendering, Formats::kAll);
  add_rule_options(app, arguments->rules);
  app.add_option("--fail-on", options->fail_on,
                 "Exit with 1 when a finding of this severity or above stands")
      ->check(CLI::IsMember(severities()));
  app.add_option("-o,--output", arguments->output,
                 "Write to this file, readable by you only; of -f eml the folder");
  app.add_flag("--force", arguments->force, "Overwrite the file of -o");
  app.add_option("--session", options->sessions, "Only these sessions")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::PositiveNumber)
      ->type_name("N[,N...]");
  CLI::Option* only = app.add_flag("--only-annotated", options->only_annotated,
                                   "Only sessions with annotations; see --severity");
  app.add_option("--severity", options->severity, "The least severity that counts for that")
      ->check(CLI::IsMember(severities()))
      ->needs(only)
      ->capture_default_str();
  app.add_flag("--interleave", options->interleave, "In the order of time, not session by session");
  app.add_option("--port", options->source.ports,
                 "In captures of packets: what is said on these ports, and nothing else")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1, 65535))
      ->type_name("N[,N...]");
  app.add_option("--jobs", options->jobs, "Read so many files at a time (not with -f json)")
      ->check(CLI::Range(1, kMaxJobs))
      ->capture_default_str();
  app.add_flag("--follow", options->follow,
               "Go on as the capture grows, until interrupted; implies --interleave");
  return [arguments] { return run(*arguments); };
}

}  // namespace

const Subcommand kShowCommand = {
    .name = "show",
    .description = "Print the annotated timeline of captures, of ours or of packets",
    .examples =
        "  smtpscope show today.smtpcap\n"
        "  smtpscope show /var/log/mail.log             from Postfix's log, with smtpd -v\n"
        "  smtpscope show --only-annotated --severity warning today.smtpcap\n"
        "  smtpscope show --session 3,7 -v today.smtpcap | less -R\n"
        "  smtpscope show -f json -o today.json today.smtpcap\n"
        "  smtpscope show -f pcapng -o today.pcapng today.smtpcap       for Wireshark\n"
        "  smtpscope show -f eml -o messages/ today.smtpcap            the messages as files\n"
        "  smtpscope show --fail-on warning -o test.txt run.smtpcap    for a client's regression "
        "test\n"
        "  smtpscope show --off timing --on round-pause --gap 2s today.smtpcap\n"
        "  smtpscope show --follow today.smtpcap        while the proxy writes it\n"
        "  ssh mx cat run.smtpcap | smtpscope show -\n"
        "  smtpscope show mail.pcap                     packets of tcpdump or Wireshark\n"
        "  smtpscope show --jobs 4 --only-annotated captures/*.pcap.gz\n"
        "  tcpdump -i any -U -w - tcp port 25 | smtpscope show --follow -\n",
    .declare = declare_show,
};

}  // namespace smtpscope
