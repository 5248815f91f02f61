#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "cli/file_output.h"
#include "cli/folder_output.h"
#include "cli/nearest_name.h"
#include "cli/record_arguments.h"
#include "cli/rendering.h"
#include "cli/rule_options.h"
#include "cli/show_run.h"
#include "cli/subcommand.h"
#include "cli/terminal.h"
#include "exporters/exporter.h"
#include "readers/reader_list.h"
#include "timeline/severity.h"

namespace smtpscope {
namespace {

constexpr std::string_view kStandardOutput = "-";

/// More threads than that help nobody, and each has a file open.
constexpr int kMaxJobs = 256;

struct ShowArguments {
  ShowOptions show;
  RuleOptions rules;
  RecordArguments records;
  std::string output;  // "": standard output
  bool force = false;
};

int run_into_folder(const ShowArguments& arguments) {
  if (arguments.output.empty() || arguments.output == kStandardOutput) {
    return fail(fmt::format("-f {} writes several files; name their folder with -o",
                            arguments.show.rendering.format));
  }
  const bool adds = find_exporter(arguments.show.rendering.format)->adds;
  Result<FolderOutput> folder = FolderOutput::create(arguments.output, arguments.force || adds);
  if (!folder) return fail(folder.error().message);
  FileOutput nothing;
  return ShowRun(arguments.show, nothing, &folder.value()).run();
}

int run(ShowArguments& arguments) {
  ShowOptions& options = arguments.show;
  Result<RuleSet> rules = make_rules(arguments.rules);
  if (!rules) return fail(rules.error().message);
  options.rules = std::move(rules.value());
  if (const auto read = read_filter(options.rendering); !read) return fail(read.error().message);
  Result<RecordSettings> records = read_record_arguments(arguments.records);
  if (!records) return fail(records.error().message);
  options.records = std::move(records.value());
  if (options.follow && options.files.size() != 1) {
    return fail("--follow takes exactly one file");
  }
  const ExporterKind& format = *find_exporter(options.rendering.format);
  if (format.target == ExporterTarget::kFolder) return run_into_folder(arguments);
  if (arguments.output.empty() || arguments.output == kStandardOutput) {
    FileOutput output;
    if (format.target == ExporterTarget::kBinary && is_terminal(output.descriptor())) {
      return fail(fmt::format(
          "{} cannot go to a terminal; write it to a file with -o, or to a pipe", format.name));
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
                 "Captures (.smtpcap, pcap, pcapng), logs and what programs print, any text with a "
                 "dialogue (smtpscope formats); gzipped or not; - is standard input")
      ->required();
  add_rendering_options(app, options->rendering, Formats::kAll);
  app.add_option("-o,--output", arguments->output,
                 "Output file, readable only by you; for -f eml and -f records the folder")
      ->type_name("FILE")
      ->default_str("standard output");
  app.add_flag("--force", arguments->force, "Overwrite the output file if it exists");
  app.add_flag("--interleave", options->interleave, "In order of time, not session by session");
  app.add_option("--fail-on", options->fail_on,
                 "Exit with 1 if there is a finding of this severity or above")
      ->default_str("never")
      ->check(CLI::IsMember(severities()));
  add_filter_option(app, options->rendering.filter_text);
  app.add_option("--session", options->sessions, "Only these sessions, such as 3,7")
      ->default_str("all")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::PositiveNumber)
      ->type_name("N[,N...]");
  CLI::Option* only = app.add_flag("--only-annotated", options->only_annotated,
                                   "Only sessions with findings; see --severity");
  app.add_option("--severity", options->severity, "Lowest severity that --only-annotated keeps")
      ->check(CLI::IsMember(severities()))
      ->needs(only)
      ->capture_default_str();
  add_rule_options(app, arguments->rules);
  add_record_options(app, arguments->records);
  app.option_defaults()->group("Reading");
  app.add_option("--as", options->source.format,
                 "Read the files as this format, see smtpscope formats")
      ->check([](const std::string& name) {
        std::vector<std::string_view> names;
        for (const FormatWords& format : all_formats()) names.push_back(format.name);
        if (std::find(names.begin(), names.end(), name) != names.end()) return std::string();
        const std::string_view near = nearest_name(name, names);
        return fmt::format("\"{}\" is no format{}; smtpscope formats lists them", name,
                           near.empty() ? "" : fmt::format(", did you mean {}?", near));
      })
      ->type_name("FORMAT")
      ->default_str("found out");
  app.add_option("--port", options->source.ports, "In packet captures: only these ports")
      ->default_str("all")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1, 65535))
      ->type_name("N[,N...]");
  options->jobs = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kMaxJobs);
  app.add_option("--jobs", options->jobs,
                 "Threads that share the work, on several files or on one; 1: no other than itself")
      ->check(CLI::Range(1, kMaxJobs))
      ->default_str("one for each processor");
  app.add_flag("--follow", options->follow,
               "Keep reading as the capture grows, until interrupted; implies --interleave");
  return [arguments] { return run(*arguments); };
}

}  // namespace

const Subcommand kShowCommand = {
    .name = "show",
    .description = "Print the annotated timeline of captures, packet captures and logs",
    .examples =
        "  smtpscope show today.smtpcap\n"
        "  smtpscope show /var/log/mail.log             from Postfix's log, with smtpd -v\n"
        "  smtpscope show --only-annotated --severity warning today.smtpcap\n"
        "  smtpscope show --filter 'to:@example.net outcome:refused' today.smtpcap\n"
        "  smtpscope show --session 3,7 -v today.smtpcap | less -R\n"
        "  smtpscope show -f json -o today.json today.smtpcap\n"
        "  smtpscope show -f pcapng -o today.pcapng today.smtpcap       for Wireshark\n"
        "  smtpscope show -f eml -o messages/ today.smtpcap            the messages as files\n"
        "  smtpscope show -f records -o records/ today.smtpcap         rows for a database\n"
        "  smtpscope show --fail-on warning -o test.txt run.smtpcap    for a client's regression "
        "test\n"
        "  smtpscope show --off timing --on round-pause --gap 2s today.smtpcap\n"
        "  smtpscope show --follow today.smtpcap        while the proxy writes it\n"
        "  ssh mx cat run.smtpcap | smtpscope show -\n"
        "  smtpscope show mail.pcap                     packets of tcpdump or Wireshark\n"
        "  smtpscope show --jobs 4 --only-annotated captures/*.pcap.gz\n"
        "  smtpscope show pasted.txt                    what somebody has put into a forum\n"
        "  smtpscope show --as dialogue notes.txt       a text as the format that you say\n"
        "  tcpdump -i any -U -w - tcp port 25 | smtpscope show --follow -\n",
    .declare = declare_show,
    .exit_status =
        "0 fine, 1 there is a finding that --fail-on names, 2 wrong usage, or a file could not be "
        "read "
        "whole.",
};

}  // namespace smtpscope
