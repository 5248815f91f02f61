#include <fmt/format.h>
#include <sys/utsname.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "capture/capture_reader.h"
#include "capture/event_format.h"
#include "cli/file_output.h"
#include "cli/folder_output.h"
#include "cli/redaction.h"
#include "cli/rule_options.h"
#include "cli/subcommand.h"
#include "exporters/escape.h"
#include "exporters/exporter.h"
#include "trace/replay.h"

namespace smtpscope {
namespace {

struct ReportArguments {
  RedactionOptions redaction;
  std::string folder;
  bool force = false;
};

constexpr std::string_view kCapture = "redacted.smtpcap";
constexpr std::string_view kPage = "report.html";
constexpr std::string_view kTimeline = "timeline.txt";
constexpr std::string_view kJsonTimeline = "timeline.json";
constexpr std::string_view kVerdict = "verdict.txt";
constexpr std::string_view kVersions = "versions.txt";
/// For lines of a mail or an issue.
constexpr std::size_t kColumns = 110;

/// Writes down the verdict on each session.
class Verdicts : public TimelineSink {
 public:
  explicit Verdicts(Output& out) : out_(out) {}
  void on_timeline(const TimelineEvent& event) override {
    const auto* ended = std::get_if<TimelineSessionEnded>(&event.body);
    if (ended == nullptr) return;
    out_.write(fmt::format("session {}\n", event.session));
    for (const VerdictLine& line : ended->verdict) {
      out_.write(fmt::format("  {}: {}\n", to_string(line.kind),
                             escape(line.text, Wording::kOurs, Charset::kUtf8)));
    }
    for (const NotEvaluated& rule : ended->not_evaluated) {
      out_.write(fmt::format("  not evaluated: {}: {}\n", rule.rule->id, rule.why));
    }
  }

 private:
  Output& out_;
};

/// Several exporters at once.
class Everything : public TimelineSink, public WireSink {
 public:
  explicit Everything(std::vector<Exporter*> exporters, TimelineSink& verdicts)
      : exporters_(std::move(exporters)), verdicts_(verdicts) {}
  void on_timeline(const TimelineEvent& event) override {
    for (Exporter* exporter : exporters_) exporter->on_timeline(event);
    verdicts_.on_timeline(event);
  }
  void on_wire(const WireEvent& event) override {
    for (Exporter* exporter : exporters_) exporter->on_record(event);
  }

 private:
  std::vector<Exporter*> exporters_;
  TimelineSink& verdicts_;
};

std::string versions(const RunInfo& run) {
  std::string text =
      fmt::format("smtpscope      {}\ncapture by     {}\ncapture format {}\ncompiler       {}\n",
                  SMTPSCOPE_VERSION, run.writer, kCaptureVersion, __VERSION__);
  // Not the node's name.
  struct utsname system {};
  if (::uname(&system) == 0) {
    text +=
        fmt::format("system         {} {} {}\n", system.sysname, system.release, system.machine);
  }
  return text;
}

/// One `smtpscope report`.
class Report {
 public:
  explicit Report(const ReportArguments& arguments) : arguments_(arguments) {}

  Result<Done> make() {
    const auto folder = FolderOutput::create(arguments_.folder, arguments_.force);
    if (!folder) return folder.error();
    Result<Redaction> redacted =
        redact_capture(arguments_.redaction, path(kCapture), arguments_.force);
    if (!redacted) return redacted.error();
    redaction_ = std::move(redacted.value());
    return derive();
  }

  std::string summary() const {
    std::string text =
        fmt::format("{} has\n", escape(arguments_.folder, Wording::kOurs, Charset::kUtf8));
    const auto line = [&](std::string_view name, std::string_view what) {
      text += fmt::format("  {:<18} {}\n", name, what);
    };
    line(kCapture, "the capture, with pseudonyms for all names");
    line(kPage, "all of it as a page, for a browser");
    line(kTimeline, "its timeline");
    line(kJsonTimeline, "the same, for programs");
    line(kVerdict, "the verdict on each session");
    line(kVersions, "which programs made it");
    text += redaction_report(redaction_);
    text += fmt::format(
        "Before you attach it, read {}: no name, address or text of yours should be in it.\n"
        "Still there: times, sizes, the order of commands, and what programs call themselves.\n",
        path(kTimeline));
    return text;
  }

  const Redaction& redaction() const { return redaction_; }

 private:
  std::string path(std::string_view name) const {
    return (std::filesystem::path(arguments_.folder) / name).string();
  }

  Result<FileOutput> file(std::string_view name) const {
    return FileOutput::create(path(name), arguments_.force, {});
  }

  /// All that is told comes from the redacted capture, so it can tell no more than that.
  Result<Done> derive() {
    Result<RuleSet> rules = make_rules({});
    if (!rules) return rules.error();
    Result<std::unique_ptr<CaptureReader>> opened = CaptureReader::open(path(kCapture));
    if (!opened) return opened.error();
    CaptureReader& reader = *opened.value();
    RunInfo run = reader.run();
    run.source = kCapture;

    Result<FileOutput> text_file = file(kTimeline);
    if (!text_file) return text_file.error();
    Result<FileOutput> json_file = file(kJsonTimeline);
    if (!json_file) return json_file.error();
    Result<FileOutput> page_file = file(kPage);
    if (!page_file) return page_file.error();
    Result<FileOutput> verdict_file = file(kVerdict);
    if (!verdict_file) return verdict_file.error();
    Result<FileOutput> version_file = file(kVersions);
    if (!version_file) return version_file.error();
    version_file.value().write(versions(run));

    ExporterOptions options;
    options.arrangement = Arrangement::kBySession;
    options.rules = &rules.value();
    options.width = kColumns;
    const auto text = find_exporter("text")->make(options, text_file.value());
    const auto json = find_exporter("json")->make(options, json_file.value());
    const auto page = find_exporter("html")->make(options, page_file.value());
    const std::vector<Exporter*> exporters = {text.get(), json.get(), page.get()};
    Verdicts verdicts(verdict_file.value());
    Everything all(exporters, verdicts);
    for (Exporter* exporter : exporters) exporter->begin_run(run);
    Replay replay({}, rules.value(), all, &all);
    while (true) {
      const Result<bool> more = reader.next(replay);
      if (!more) return more.error();
      if (!more.value()) break;
    }
    replay.finish();
    for (Exporter* exporter : exporters) {
      exporter->end_run();
      exporter->finish();
      if (const auto fault = exporter->fault()) return *fault;
    }
    for (const std::string& failure : replay.failures()) {
      static_cast<void>(fail(failure + "; its timeline ends there"));
    }
    for (Result<FileOutput>* each :
         {&text_file, &json_file, &page_file, &verdict_file, &version_file}) {
      each->value().flush();
      if (const auto fault = each->value().fault()) return *fault;
    }
    return Done{};
  }

  const ReportArguments& arguments_;
  Redaction redaction_;
};

int run(const ReportArguments& arguments) {
  Report report(arguments);
  if (const Result<Done> made = report.make(); !made) return fail(made.error().message);
  for (const std::string& notice : report.redaction().notices) static_cast<void>(fail(notice));
  return print(report.summary());
}

std::function<int()> declare_report(CLI::App& app) {
  auto arguments = std::make_shared<ReportArguments>();
  add_redaction_options(app, arguments->redaction);
  app.option_defaults()->group("Output");
  app.add_option("-o,--output", arguments->folder, "The folder to make, readable only by you")
      ->type_name("DIR")
      ->required();
  app.add_flag("--force", arguments->force, "Overwrite a report that is in DIR");
  return [arguments] { return run(*arguments); };
}

}  // namespace

const Subcommand kReportCommand = {
    .name = "report",
    .description =
        "Make a folder to attach to a bug report: a redacted capture, its timeline and verdicts",
    .examples =
        "  smtpscope report today.smtpcap -o report\n"
        "  smtpscope report today.smtpcap -o report --body shape\n"
        "  tar czf report.tar.gz report\n",
    .declare = declare_report,
};

}  // namespace smtpscope
