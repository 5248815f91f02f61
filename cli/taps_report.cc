#include "cli/taps_report.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "cli/file_output.h"
#include "cli/run_loading.h"
#include "cli/subcommand.h"
#include "diff/taps/taps_comparison.h"
#include "exporters/comparison/taps_json.h"
#include "exporters/comparison/taps_text.h"

namespace smtpscope {

int report_taps(const TapsRequest& request, const RuleSet& rules, FileOutput& output) {
  if (request.runs.size() != 2) {
    return fail(
        "--taps compares two captures of the same sessions: smtpscope diff --taps NEAR-CLIENT "
        "NEAR-SERVER");
  }
  std::error_code no_file;  // that is told when it is opened
  if (std::filesystem::equivalent(request.runs[0], request.runs[1], no_file)) {
    return fail(fmt::format("{} and {} are the same file; --taps compares captures from two places",
                            request.runs[0], request.runs[1]));
  }
  std::vector<LoadedRun> loaded;
  for (const std::string& file : request.runs) {
    Result<LoadedRun> run = load_run(file, rules);
    if (!run) return fail(run.error().message);
    loaded.push_back(std::move(run.value()));
  }
  const TapsComparison comparison = compare_taps(loaded[0].run, loaded[1].run, rules);
  if (!comparison.trouble.empty()) return fail(comparison.trouble);
  if (request.json) {
    output.write(taps_document(comparison, rules));
  } else {
    write_taps_text(comparison, request.context,
                    exporter_options(request.rendering, rules, output.descriptor()), output);
  }
  output.flush();
  if (const std::optional<Error> fault = output.fault()) return fail(fault->message);
  if (loaded[0].damaged || loaded[1].damaged) return kExitFailure;
  return comparison.changed() ? kExitFound : kExitFine;
}

}  // namespace smtpscope
