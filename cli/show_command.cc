#include <fmt/format.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/file_output.h"
#include "cli/file_watch.h"
#include "cli/folder_output.h"
#include "cli/rendering.h"
#include "cli/replay.h"
#include "cli/rule_options.h"
#include "cli/subcommand.h"
#include "cli/terminal.h"
#include "exporters/exporter.h"
#include "readers/reader_list.h"
#include "timeline/rule_set.h"
#include "timeline/run_summary.h"
#include "timeline/severity.h"

namespace smtpscope {
namespace {

constexpr std::string_view kStandardInput = "-";

struct ShowOptions {
  std::vector<std::string> files;
  std::string output;  // "": standard output
  bool force = false;
  std::vector<SessionId> sessions;
  bool only_annotated = false;
  std::string severity = std::string(to_string(Severity::kInfo));
  bool interleave = false;
  bool follow = false;
  SourceOptions source;
  Rendering rendering;
  RuleOptions rule_options;
  std::string fail_on;  // "": never
  RuleSet rules;        // made of rule_options
};

bool is_regular_file(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode);
}

/// Hands the timelines of one source on to an exporter and keeps count of what they say.
class Counted : public TimelineSink {
 public:
  Counted(const WireSource& source, Exporter& exporter) : source_(source), exporter_(exporter) {}

  /// Before the first event, when the source knows all that there is to be known of its run.
  void begin() {
    if (!std::exchange(begun_, true)) exporter_.begin_run(source_.run());
  }
  void on_timeline(const TimelineEvent& event) override {
    begin();
    summary_.on_timeline(event);
    exporter_.on_timeline(event);
  }
  const RunSummary& summary() const { return summary_; }

 private:
  const WireSource& source_;
  Exporter& exporter_;
  RunSummary summary_;
  bool begun_ = false;
};

/// Gives the events of a capture to what makes timelines, and those formats that want octets
/// theirs.
class Distributor : public WireSink {
 public:
  Distributor(Exporter& exporter, Replay& replay) : exporter_(exporter), replay_(replay) {}
  void on_wire(const WireEvent& event) override {
    exporter_.on_octets(event);
    replay_.on_wire(event);
  }

 private:
  Exporter& exporter_;
  Replay& replay_;
};

/// Events that may be written down, to a format that wants them.
class Recorder : public WireSink {
 public:
  explicit Recorder(Exporter& exporter) : exporter_(exporter) {}
  void on_wire(const WireEvent& event) override { exporter_.on_record(event); }

 private:
  Exporter& exporter_;
};

/// One run of `smtpscope show`: from captures to one output, or to a folder of them.
class Show {
 public:
  /// `folder` is where a format of several files goes; `output` takes nothing then.
  Show(const ShowOptions& options, FileOutput& output, FolderOutput* folder)
      : options_(options), output_(output), folder_(folder), exporter_(make_exporter()) {}

  int run() {
    for (const std::string& file : options_.files) {
      if (broken() || stopped_) break;
      show(file);
    }
    exporter_->finish();
    output_.flush();
    if (const std::optional<Error> fault = output_.fault()) complain(fault->message);
    if (folder_ != nullptr && folder_->fault()) complain(folder_->fault()->message);
    // What could not be shown may be worse than what was found.
    return exit_code_ == kExitFine && findings_ > 0 ? kExitFound : exit_code_;
  }

 private:
  std::unique_ptr<Exporter> make_exporter() const {
    ExporterOptions chosen =
        exporter_options(options_.rendering, options_.rules, output_.descriptor());
    // Who follows wants to see what happens now, not when an earlier session has ended.
    chosen.arrangement =
        options_.interleave || options_.follow ? Arrangement::kByTime : Arrangement::kBySession;
    if (options_.only_annotated) chosen.annotated_from = severity_of(options_.severity);
    chosen.name_runs = options_.files.size() > 1;
    const ExporterKind& kind = *find_exporter(options_.rendering.format);
    return folder_ != nullptr ? kind.make_in(chosen, *folder_) : kind.make(chosen, output_);
  }

  bool broken() const { return output_.broken() || (folder_ != nullptr && folder_->broken()); }

  /// A file that cannot be read is reported; the others are shown.
  void show(const std::string& file) {
    Result<std::unique_ptr<WireSource>> opened = open_source(file, options_.source);
    if (!opened) {
      complain(opened.error().message);
      return;
    }
    WireSource& source = *opened.value();
    Counted counted(source, *exporter_);
    Recorder recorder(*exporter_);
    Replay replay({options_.sessions.begin(), options_.sessions.end()}, options_.rules, counted,
                  find_exporter(options_.rendering.format)->octets ? &recorder : nullptr);
    Distributor events(*exporter_, replay);
    const bool grows = options_.follow && file != kStandardInput && is_regular_file(file);
    grows ? follow(file, source, events) : read_all(file, source, events);
    source.finish(events);
    counted.begin();
    exporter_->end_run();
    if (const auto least = severity_of(options_.fail_on)) {
      findings_ += counted.summary().findings(*least);
    }
    tell_notices(file, source);
    for (const SessionId session : replay.missing()) {
      complain(fmt::format("{} has no session {}", file, session));
    }
  }

  /// Reads up to the end of the capture as it is now.
  void read_all(const std::string& file, WireSource& source, WireSink& events) {
    while (!broken()) {
      const Result<bool> more = source.next(events);
      if (!more) {
        complain(fmt::format("{}; what was read before is shown", more.error().message));
        return;
      }
      if (!more.value()) return;
      // Nobody knows when a pipe has more: what is known is shown before waiting for it.
      if (options_.follow && !is_regular_file(file)) output_.flush();
    }
  }

  void follow(const std::string& file, WireSource& source, WireSink& events) {
    Result<std::unique_ptr<FileWatch>> watch = FileWatch::start(file);
    if (!watch) {
      complain(watch.error().message);
      return;
    }
    do {
      read_all(file, source, events);
      output_.flush();
    } while (!broken() && watch.value()->wait());
    stopped_ = true;
  }

  /// A capture that ends early is what a killed proxy leaves, and kinds of a later version are to
  /// be skipped: all that there is has been shown. A line that cannot be read is a loss.
  void tell_notices(const std::string& file, const WireSource& source) {
    output_.flush();
    for (const SourceNotice& notice : source.notices()) {
      const int code = fail(fmt::format("{}: {}", file, notice.text));
      if (notice.kind == SourceNotice::Kind::kCorrupt) exit_code_ = code;
    }
  }

  void complain(std::string_view message) {
    output_.flush();
    exit_code_ = fail(message);
  }

  const ShowOptions& options_;
  FileOutput& output_;
  FolderOutput* const folder_;
  std::unique_ptr<Exporter> exporter_;
  bool stopped_ = false;
  std::uint64_t findings_ = 0;  // that --fail-on asks for
  int exit_code_ = kExitFine;
};

int run_into_folder(const ShowOptions& options) {
  if (options.output.empty() || options.output == kStandardInput) {
    return fail(fmt::format("-f {} makes a file of each message; say with -o which folder for",
                            options.rendering.format));
  }
  Result<FolderOutput> folder = FolderOutput::create(options.output, options.force);
  if (!folder) return fail(folder.error().message);
  FileOutput nothing;
  return Show(options, nothing, &folder.value()).run();
}

int run(ShowOptions& options) {
  Result<RuleSet> rules = make_rules(options.rule_options);
  if (!rules) return fail(rules.error().message);
  options.rules = std::move(rules.value());
  if (options.follow && options.files.size() != 1) {
    return fail("--follow follows one file; give one");
  }
  const ExporterKind& format = *find_exporter(options.rendering.format);
  if (format.target == ExporterTarget::kFolder) return run_into_folder(options);
  if (options.output.empty() || options.output == kStandardInput) {
    FileOutput output;
    if (format.target == ExporterTarget::kBinary && is_terminal(output.descriptor())) {
      return fail(fmt::format("{} is not for a terminal; write it to a file with -o, or to a pipe",
                              format.name));
    }
    return Show(options, output, nullptr).run();
  }
  Result<FileOutput> output = FileOutput::create(options.output, options.force, options.files);
  if (!output) return fail(output.error().message);
  return Show(options, output.value(), nullptr).run();
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
  auto options = std::make_shared<ShowOptions>();
  app.add_option("FILE", options->files,
                 "Captures of ours or of packets (.smtpcap, pcap, pcapng; gzipped or not); - is "
                 "standard input")
      ->required();
  add_rendering_options(app, options->rendering, Formats::kAll);
  add_rule_options(app, options->rule_options);
  app.add_option("--fail-on", options->fail_on,
                 "Exit with 1 when a finding of this severity or above stands")
      ->check(CLI::IsMember(severities()));
  app.add_option("-o,--output", options->output,
                 "Write to this file, readable by you only; of -f eml the folder");
  app.add_flag("--force", options->force, "Overwrite the file of -o");
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
  app.add_flag("--follow", options->follow,
               "Go on as the capture grows, until interrupted; implies --interleave");
  return [options] { return run(*options); };
}

}  // namespace

const Subcommand kShowCommand = {
    .name = "show",
    .description = "Print the annotated timeline of a capture",
    .examples =
        "  smtpscope show today.smtpcap\n"
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
        "  tcpdump -i any -U -w - tcp port 25 | smtpscope show --follow -\n",
    .declare = declare_show,
};

}  // namespace smtpscope
