#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/file_output.h"
#include "cli/option_values.h"
#include "cli/rendering.h"
#include "cli/rule_options.h"
#include "cli/run_loading.h"
#include "cli/subcommand.h"
#include "cli/taps_report.h"
#include "diff/runs/normalizer.h"
#include "diff/runs/run_comparison.h"
#include "diff/runs/run_series.h"
#include "exporters/comparison/comparison_json.h"
#include "exporters/comparison/comparison_table.h"
#include "exporters/comparison/comparison_text.h"

namespace smtpscope {
namespace {

constexpr std::string_view kText = "text";
constexpr std::string_view kJson = "json";

struct DiffOptions {
  std::vector<std::string> runs;  // the base first, unless there is a baseline
  std::string baseline;           // folder
  std::string format = std::string(kText);
  std::string output;
  bool force = false;
  bool list_normalizers = false;
  bool taps = false;  // the runs are one, seen from two places
  Normalizers::Options normalizers;
  ComparisonOptions comparison;
  std::string threshold;
  bool no_timing = false;
  ComparisonLayout layout;
  Rendering rendering;
  RuleOptions rule_options;
};

int list_normalizers() {
  std::string text;
  for (const NormalizerKind& kind : all_normalizers()) {
    text += fmt::format("{:<14}{}\n", kind.name, kind.description);
  }
  return print(text);
}

/// The captures in a folder, in the order of their names. Hidden files are not meant.
Result<std::vector<std::string>> captures_in(const std::string& folder) {
  std::error_code fault;
  std::vector<std::string> files;
  for (std::filesystem::directory_iterator each(folder, fault), end; !fault && each != end;
       each.increment(fault)) {
    std::error_code ignored;
    if (each->is_regular_file(ignored) && !each->path().filename().string().starts_with('.')) {
      files.push_back(each->path().string());
    }
  }
  if (fault) return Error{fmt::format("{}: {}", folder, fault.message())};
  if (files.size() < 2) {
    return Error{fmt::format("{} holds {}; a baseline takes two runs or more", folder,
                             files.empty() ? "no file" : "one file only")};
  }
  std::ranges::sort(files);
  return files;
}

/// One run of `smtpscope diff`: each run compared with the base, then told.
class Diff {
 public:
  Diff(const DiffOptions& options, const RuleSet& rules, const Normalizers& normalizers,
       FileOutput& output)
      : options_(options),
        rules_(rules),
        normalizers_(normalizers),
        output_(output),
        rendering_(exporter_options(options.rendering, rules, output.descriptor())) {}

  int run() {
    std::vector<std::string> files = options_.runs;
    if (!options_.baseline.empty()) {
      Result<std::vector<std::string>> series = captures_in(options_.baseline);
      if (!series) return fail(series.error().message);
      if (!load_base(series.value().front())) return kExitFailure;
      series_.emplace(base_->run, options_.comparison);
      for (std::size_t i = 1; i < series.value().size(); ++i) add_to_series(series.value()[i]);
    } else {
      if (!load_base(files.front())) return kExitFailure;
      files.erase(files.begin());
    }
    const bool several = files.size() > 1;
    if (series_ && !json()) {
      write_series(*series_, rendering_, output_);
      if (!files.empty()) output_.write("\n");
    }
    for (const std::string& file : files) compare(file, several);
    if (several && !json()) {
      write_comparison_table(base_->run, table_, rendering_, output_);
    }
    if (json()) {
      output_.write(comparison_document(documents_, series_ ? json_of(*series_) : "", rules_));
    }
    output_.flush();
    if (const std::optional<Error> fault = output_.fault()) return fail(fault->message);
    if (failed_) return kExitFailure;
    const bool flickers = series_ && files.empty() && !series_->flickers().empty();
    return differs_ || flickers ? kExitFound : kExitFine;
  }

 private:
  bool json() const { return options_.format == kJson; }

  std::optional<LoadedRun> load(const std::string& file) {
    Result<LoadedRun> loaded = load_run(file, rules_);
    if (!loaded) {
      fail(loaded.error().message);
      failed_ = true;
      return std::nullopt;
    }
    failed_ = failed_ || loaded.value().damaged;
    return std::move(loaded.value());
  }

  bool load_base(const std::string& file) {
    base_ = load(file);
    return base_.has_value();
  }

  RunComparison compared(const RunRecord& run) const {
    return compare_runs(base_->run, run, normalizers_, options_.comparison);
  }

  void add_to_series(const std::string& file) {
    if (const std::optional<LoadedRun> loaded = load(file)) series_->add(compared(loaded->run));
  }

  void compare(const std::string& file, bool several) {
    const std::optional<LoadedRun> loaded = load(file);
    if (!loaded) return;
    RunComparison comparison = compared(loaded->run);
    if (json()) documents_.push_back(json_of(comparison, series_ ? &*series_ : nullptr));
    const std::uint64_t flickering = series_ ? take_out_flickers(comparison) : 0;
    differs_ = differs_ || !comparison.same();
    if (json()) return;
    if (several) {
      table_.push_back({loaded->run.name, loaded->run.sessions.size(), comparison.counts});
      return;
    }
    write_comparison_text(comparison, options_.layout, rendering_, output_);
    if (flickering > 0) {
      output_.write(fmt::format("{} more, as in the baseline\n", flickering));
    }
  }

  /// What the baseline has too is no news. Gives how many differences that were.
  std::uint64_t take_out_flickers(RunComparison& comparison) const {
    std::uint64_t taken = 0;
    comparison.counts = {};
    for (SessionComparison& session : comparison.sessions) {
      std::vector<Difference> kept;
      const auto keep = [&](std::size_t from, std::size_t to) {
        for (std::size_t i = from; i < to; ++i) {
          if (series_->flickers(session, session.differences[i])) {
            ++taken;
            continue;
          }
          comparison.counts.add(session.differences[i].kind);
          kept.push_back(std::move(session.differences[i]));
        }
      };
      for (ComparedRow& row : session.rows) {
        const std::size_t first = row.first_difference;
        row.first_difference = static_cast<std::uint32_t>(kept.size());
        keep(first, first + row.difference_count);
        row.difference_count = static_cast<std::uint32_t>(kept.size()) - row.first_difference;
      }
      const std::size_t of_session = kept.size();
      keep(session.of_session, session.differences.size());
      session.of_session = of_session;
      session.differences = std::move(kept);
    }
    return taken;
  }

  const DiffOptions& options_;
  const RuleSet& rules_;
  const Normalizers& normalizers_;
  FileOutput& output_;
  const ExporterOptions rendering_;
  std::optional<LoadedRun> base_;
  std::optional<RunSeries> series_;
  std::vector<ComparedRun> table_;
  std::vector<std::string> documents_;
  bool differs_ = false;
  bool failed_ = false;
};

/// Compares the runs, one way or the other.
int compare_runs_into(FileOutput& output, const DiffOptions& options, const RuleSet& rules,
                      const Normalizers& normalizers) {
  if (!options.taps) return Diff(options, rules, normalizers, output).run();
  return report_taps(
      {options.runs, options.layout.context, options.format == kJson, options.rendering}, rules,
      output);
}

int run_diff(DiffOptions& options) {
  if (options.list_normalizers) return list_normalizers();
  if (!options.taps && options.baseline.empty() && options.runs.size() < 2) {
    return fail(
        "diff compares two runs or more: smtpscope diff BASE RUN...; or a series of runs in a "
        "folder: smtpscope diff --baseline DIR [RUN...]");
  }
  if (std::ranges::count(options.runs, "-") > 1) {
    return fail("only one run can be read from standard input; give files for the others");
  }
  if (!options.threshold.empty()) {
    const std::optional<Duration> threshold = parse_duration(options.threshold);
    if (!threshold) {
      return fail(fmt::format("--time-threshold: '{}' is no time; give 500ms, 2s or 1m",
                              options.threshold));
    }
    options.comparison.timing_threshold = *threshold;
  }
  options.comparison.timing = !options.no_timing;
  Result<RuleSet> rules = make_rules(options.rule_options);
  if (!rules) return fail(rules.error().message);
  Result<Normalizers> normalizers = Normalizers::make(options.normalizers);
  if (!normalizers) return fail(normalizers.error().message);
  if (options.output.empty() || options.output == "-") {
    FileOutput output;
    return compare_runs_into(output, options, rules.value(), normalizers.value());
  }
  Result<FileOutput> output = FileOutput::create(options.output, options.force, options.runs);
  if (!output) return fail(output.error().message);
  return compare_runs_into(output.value(), options, rules.value(), normalizers.value());
}

std::function<int()> declare_diff(CLI::App& app) {
  auto options = std::make_shared<DiffOptions>();
  app.option_defaults()->group("Comparison");
  app.add_option("RUN", options->runs,
                 "Captures: the base, then what to compare with it; - is standard input");
  app.add_option("--baseline", options->baseline,
                 "A folder of captures that should be alike: show what is stable in them and what "
                 "flickers; of the RUNs then only what the folder's do not show")
      ->type_name("DIR")
      ->default_str("none");
  app.add_flag("-y,--side-by-side", options->layout.side_by_side, "Two columns");
  app.add_option("--context", options->layout.context,
                 "Exchanges shown around what differs; -v shows all")
      ->capture_default_str();
  app.add_flag("--reads", options->comparison.reads, "Compare the number of reads, too");
  app.add_flag("--no-timing", options->no_timing, "Do not compare how long things took");
  app.add_option("--time-threshold", options->threshold,
                 "Report waits that differ by at least this")
      ->default_str("500ms")
      ->type_name("TIME");
  app.add_option("--time-ratio", options->comparison.timing_ratio,
                 "... and by at least this factor")
      ->check(CLI::Range(1.0, 1e9))
      ->capture_default_str();
  app.add_option("--ignore", options->normalizers.ignore,
                 "Set aside what this regular expression (RE2) matches, or its first group")
      ->default_str("nothing")
      ->allow_extra_args(false)
      ->type_name("RE");
  app.add_option("--no-normalizer", options->normalizers.off,
                 "Compare this, too; \"all\": set nothing aside")
      ->default_str("none")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("NAME[,NAME...]");
  app.add_flag("--list-normalizers", options->list_normalizers,
               "List what is set aside because it differs from run to run");
  app.option_defaults()->group("Output");
  app.add_option("-f,--format", options->format, "text, or json (docs/comparison.schema.json)")
      ->check(CLI::IsMember({std::string(kText), std::string(kJson)}))
      ->capture_default_str();
  add_look_options(app, options->rendering, "All exchanges, and what was set aside");
  add_rule_options(app, options->rule_options);
  app.option_defaults()->group("Output");
  app.add_option("-o,--output", options->output, "Output file, readable only by you")
      ->type_name("FILE")
      ->default_str("standard output");
  app.add_flag("--force", options->force, "Overwrite the output file if it exists");
  app.option_defaults()->group("Comparison");
  CLI::Option* taps = app.add_flag(
      "--taps", options->taps,
      "The two RUNs are the same sessions, recorded near the client and near the server: report "
      "what something in between changed. --set two-point-divergence.delay=TIME: shortest delay "
      "to report");
  // Between two places everything counts, to the octet: nothing is set aside.
  for (const char* other : {"--baseline", "--side-by-side", "--reads", "--no-timing",
                            "--time-threshold", "--time-ratio", "--ignore", "--no-normalizer"}) {
    taps->excludes(app.get_option(other));
  }
  return [options] { return run_diff(*options); };
}

}  // namespace

const Subcommand kDiffCommand = {
    .name = "diff",
    .description = "Compare runs of the same client, or one run recorded at two places",
    .examples =
        "  smtpscope diff yesterday.smtpcap today.smtpcap\n"
        "  smtpscope diff -y old-version.smtpcap new-version.smtpcap | less -R\n"
        "  smtpscope diff --ignore 'ticket (\\d+)' --no-normalizer date a.smtpcap b.smtpcap\n"
        "  smtpscope diff base.smtpcap a.smtpcap b.smtpcap c.smtpcap     a table\n"
        "  smtpscope diff --baseline runs/                               what flickers in them\n"
        "  smtpscope diff --baseline runs/ today.smtpcap                 what is new today\n"
        "  smtpscope diff --taps near-client.smtpcap near-server.smtpcap  what is in between "
        "does\n",
    .declare = declare_diff,
    .exit_status = "0 no difference, 1 there are some, 2 wrong usage, or a run could not be read.",
};

}  // namespace smtpscope
