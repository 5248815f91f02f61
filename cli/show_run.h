#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "capture/wire_source.h"
#include "cli/file_output.h"
#include "cli/folder_output.h"
#include "cli/record_arguments.h"
#include "cli/rendering.h"
#include "cli/subcommand.h"
#include "exporters/exporter.h"
#include "readers/reader_list.h"
#include "timeline/rule_set.h"
#include "timeline/severity.h"
#include "timeline/verdict/run_summary.h"
#include "trace/replay.h"

namespace smtpscope {

/// What the user wants to see.
struct ShowOptions {
  std::vector<std::string> files;
  std::vector<SessionId> sessions;  // none: all
  bool only_annotated = false;
  std::string severity = std::string(to_string(Severity::kInfo));
  bool interleave = false;
  bool follow = false;
  std::size_t jobs = 1;  // threads that share the work
  SourceOptions source;
  Rendering rendering;
  RuleSet rules;
  RecordSettings records;
  std::string fail_on;  // a severity; "": never
};

/// One run of `smtpscope show`: from recorded files to one output, or to a folder of them. With
/// several jobs, of several files each is read by one thread from beginning to end, where the
/// format can be put together of parts; otherwise the threads share the work on a file
/// (StagedReplay). The output is the same for any number of jobs.
class ShowRun {
 public:
  /// `folder` is where a format of several files goes, else nullptr; `output` takes nothing then.
  /// All must outlive this.
  ShowRun(const ShowOptions& options, FileOutput& output, FolderOutput* folder);
  ~ShowRun();

  /// Gives the exit code.
  int run();

 private:
  struct Report;

  ExporterOptions exporter_options_for(std::size_t file) const;
  bool broken() const;
  void show_in_turn();
  void show_in_parts();
  Report show(const std::vector<std::string>& files, Exporter& exporter, std::size_t threads);
  void show_plainly(WireSource& source, Exporter& exporter, Report& report);
  void show_staged(WireSource& source, Exporter& exporter, Report& report);
  static void complain_of_reading(const Error& error, Report& report);
  void follow(WireSource& source, WireSink& sink, Report& report);
  void read_all(WireSource& source, WireSink& sink, Report& report);
  void conclude(const WireSource& source, const Replay& replay, const RunSummary& summary,
                Report& report);
  void account(const Report& report);
  void complain(std::string_view message);

  const ShowOptions& options_;
  const std::vector<std::vector<std::string>> runs_;  // the files, those of one run together
  FileOutput& output_;
  FolderOutput* const folder_;
  const ExporterKind& kind_;
  bool stopped_ = false;        // the user has seen enough
  std::uint64_t findings_ = 0;  // that --fail-on asks for
  int exit_code_ = kExitFine;
  std::vector<FileTotals> totals_;
};

}  // namespace smtpscope
