#include "cli/show_run.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "cli/file_watch.h"
#include "cli/output_order.h"
#include "readers/joined_source.h"
#include "readers/rotated_logs.h"
#include "timeline/verdict/run_summary.h"
#include "trace/replay.h"
#include "trace/staged_replay.h"

namespace smtpscope {
namespace {

bool is_regular_file(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode);
}

/// Hands the timelines of one source on to an exporter and keeps count of what they say.
class Counted : public TimelineSink {
 public:
  /// `run`: what the source says of its run, once there is a first event.
  Counted(const RunInfo& run, Exporter& exporter) : run_(run), exporter_(exporter) {}

  /// Before the first event, when all is known that there is to be known of the run.
  void begin() {
    if (!std::exchange(begun_, true)) exporter_.begin_run(run_);
  }
  void on_timeline(const TimelineEvent& event) override {
    begin();
    summary_.on_timeline(event);
    exporter_.on_timeline(event);
  }
  const RunSummary& summary() const { return summary_; }

 private:
  const RunInfo& run_;
  Exporter& exporter_;
  RunSummary summary_;
  bool begun_ = false;
};

/// Octets as they were recorded, to a format that wants them.
class Octets : public WireSink {
 public:
  explicit Octets(Exporter& exporter) : exporter_(exporter) {}
  void on_wire(const WireEvent& event) override { exporter_.on_octets(event); }

 private:
  Exporter& exporter_;
};

/// Gives the events of a recorded file to those formats that want octets, and to what makes
/// timelines.
class Distributor : public WireSink {
 public:
  Distributor(WireSink* octets, Replay& replay) : octets_(octets), replay_(replay) {}
  void on_wire(const WireEvent& event) override {
    if (octets_ != nullptr) octets_->on_wire(event);
    replay_.on_wire(event);
  }

 private:
  WireSink* const octets_;
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

}  // namespace

/// What came of one file, to be told when it is its turn.
struct ShowRun::Report {
  struct Complaint {
    std::string text;
    bool is_failure = true;
  };
  std::vector<Complaint> complaints;
  std::uint64_t findings = 0;
  FileTotals totals;
};

ShowRun::ShowRun(const ShowOptions& options, FileOutput& output, FolderOutput* folder)
    : options_(options),
      runs_(with_rotated_logs(grouped_by_run(options.files))),
      output_(output),
      folder_(folder),
      kind_(*find_exporter(options.rendering.format)) {}

ShowRun::~ShowRun() = default;

int ShowRun::run() {
  const bool several = runs_.size() > 1;
  several&& options_.jobs > 1 && kind_.in_parts ? show_in_parts() : show_in_turn();
  output_.flush();
  if (const std::optional<Error> fault = output_.fault()) complain(fault->message);
  if (folder_ != nullptr && folder_->fault()) complain(folder_->fault()->message);
  // What could not be shown may be worse than what was found.
  return exit_code_ == kExitFine && findings_ > 0 ? kExitFound : exit_code_;
}

ExporterOptions ShowRun::exporter_options_for(std::size_t file) const {
  ExporterOptions chosen =
      exporter_options(options_.rendering, options_.rules, output_.descriptor());
  // Who follows wants to see what happens now, not when an earlier session has ended.
  chosen.arrangement =
      options_.interleave || options_.follow ? Arrangement::kByTime : Arrangement::kBySession;
  if (options_.only_annotated) chosen.annotated_from = severity_of(options_.severity);
  chosen.name_runs = runs_.size() > 1;
  chosen.goes_on = file > 0;
  options_.records.apply(chosen);
  return chosen;
}

bool ShowRun::broken() const {
  return output_.broken() || (folder_ != nullptr && folder_->broken());
}

void ShowRun::show_in_turn() {
  const ExporterOptions chosen = exporter_options_for(0);
  const std::unique_ptr<Exporter> exporter =
      folder_ != nullptr ? kind_.make_in(chosen, *folder_) : kind_.make(chosen, output_);
  for (const std::vector<std::string>& files : runs_) {
    if (broken() || stopped_) break;
    account(show(files, *exporter, options_.jobs));
  }
  if (runs_.size() > 1) exporter->sum_up(totals_);
  exporter->finish();
  if (const std::optional<Error> fault = exporter->fault()) complain(fault->message);
}

void ShowRun::show_in_parts() {
  OutputOrder order(output_);
  std::atomic<std::size_t> next{0};
  const std::size_t count = std::min(options_.jobs, runs_.size());
  const std::size_t threads_each = options_.jobs / count;
  const auto work = [&] {
    while (true) {
      const std::size_t number = next++;
      if (number >= runs_.size() || output_.broken()) return;
      OrderedPart part(order, number);
      const std::unique_ptr<Exporter> exporter = kind_.make(exporter_options_for(number), part);
      Report report = show(runs_[number], *exporter, threads_each);
      exporter->finish();
      order.end(number, [this, report = std::move(report)] { account(report); });
    }
  };
  std::vector<std::thread> workers;
  for (std::size_t i = 1; i < count; ++i) workers.emplace_back(work);
  work();
  for (std::thread& worker : workers) worker.join();
  kind_.make(exporter_options_for(1), output_)->sum_up(totals_);
}

/// A file that cannot be read is reported; the others are shown.
ShowRun::Report ShowRun::show(const std::vector<std::string>& files, Exporter& exporter,
                              std::size_t threads) {
  Report report;
  const std::string file = files.size() == 1
                               ? files.front()
                               : fmt::format("{} and {} more", files.front(), files.size() - 1);
  report.totals.file = file;
  SourceOptions source_options = options_.source;
  if (options_.follow && is_regular_file(file)) {
    source_options.on_rotation = [this](std::string_view what) {
      output_.flush();
      fail(what);  // nothing that the exit code tells
    };
  }
  Result<std::unique_ptr<WireSource>> opened = files.size() > 1 && is_rotated_log(files)
                                                   ? open_joined(files, file, source_options)
                                                   : open_files(files, source_options);
  if (!opened) {
    report.complaints.push_back({opened.error().message});
    return report;
  }
  WireSource& source = *opened.value();
  threads > 1 && !options_.follow ? show_staged(source, exporter, report)
                                  : show_plainly(source, exporter, report);
  return report;
}

/// One step after the other, by this thread.
void ShowRun::show_plainly(WireSource& source, Exporter& exporter, Report& report) {
  Counted counted(source.run(), exporter);
  Recorder recorder(exporter);
  Octets octets(exporter);
  Replay replay({options_.sessions.begin(), options_.sessions.end()}, options_.rules, counted,
                kind_.octets ? &recorder : nullptr);
  replay.tell_headlines_of(source.run());
  Distributor events(kind_.octets ? &octets : nullptr, replay);
  const bool grows = options_.follow && is_regular_file(report.totals.file);
  grows ? follow(source, events, report) : read_all(source, events, report);
  source.finish(events);
  replay.finish();
  counted.begin();
  exporter.end_run();
  conclude(source, replay, counted.summary(), report);
}

/// The same, by several threads.
void ShowRun::show_staged(WireSource& source, Exporter& exporter, Report& report) {
  StagedReplay stages(source, {options_.sessions.begin(), options_.sessions.end()}, options_.rules,
                      kind_.octets);
  Counted counted(stages.run_info(), exporter);
  Octets octets(exporter);
  Recorder recorder(exporter);
  const Result<Done> done = stages.run({.timeline = counted, .octets = octets, .record = recorder},
                                       [this] { return broken(); });
  if (!done) complain_of_reading(done.error(), report);
  counted.begin();
  exporter.end_run();
  conclude(source, stages.replay(), counted.summary(), report);
}

/// What there is to be told of a file that has been shown.
void ShowRun::conclude(const WireSource& source, const Replay& replay, const RunSummary& summary,
                       Report& report) {
  const std::string file = report.totals.file;
  report.totals = FileTotals::of(file, summary);
  if (const auto least = severity_of(options_.fail_on)) {
    report.findings = summary.findings(*least);
  }
  // Where nobody reads on nothing is known of the end of the file.
  if (broken()) return;
  // A capture that ends early is what a killed proxy leaves, and kinds of a later version are to be
  // skipped: all that there is has been shown. What cannot be read is a loss.
  for (const SourceNotice& notice : source.notices()) {
    report.complaints.push_back(
        {fmt::format("{}: {}", file, notice.text), notice.kind == SourceNotice::Kind::kCorrupt});
  }
  for (const std::string& failure : replay.failures()) {
    report.complaints.push_back({fmt::format("{}: {}; its timeline ends there", file, failure)});
  }
  for (const SessionId session : replay.missing()) {
    report.complaints.push_back({fmt::format("{} has no session {}", file, session)});
  }
}

/// Reads up to the end of the file as it is now.
void ShowRun::read_all(WireSource& source, WireSink& sink, Report& report) {
  while (!broken()) {
    const Result<bool> more = source.next(sink);
    if (!more) {
      complain_of_reading(more.error(), report);
      return;
    }
    if (!more.value()) return;
    // Nobody knows when a pipe has more: what is known is shown before waiting for it.
    if (options_.follow && !is_regular_file(report.totals.file)) output_.flush();
  }
}

void ShowRun::complain_of_reading(const Error& error, Report& report) {
  report.complaints.push_back({fmt::format("{}; what was read before is shown", error.message)});
}

void ShowRun::follow(WireSource& source, WireSink& sink, Report& report) {
  Result<std::unique_ptr<FileWatch>> watch = FileWatch::start(report.totals.file);
  if (!watch) {
    report.complaints.push_back({watch.error().message});
    return;
  }
  do {
    read_all(source, sink, report);
    output_.flush();
  } while (!broken() && watch.value()->wait());
  stopped_ = true;
}

void ShowRun::account(const Report& report) {
  if (!report.complaints.empty()) output_.flush();
  for (const Report::Complaint& complaint : report.complaints) {
    const int code = fail(complaint.text);
    if (complaint.is_failure) exit_code_ = code;
  }
  findings_ += report.findings;
  totals_.push_back(report.totals);
}

void ShowRun::complain(std::string_view message) {
  output_.flush();
  exit_code_ = fail(message);
}

}  // namespace smtpscope
