#pragma once

#include <string>
#include <vector>

#include "diff/runs/run_comparison.h"
#include "diff/runs/run_series.h"
#include "exporters/exporter.h"
#include "exporters/output.h"

namespace smtpscope {

/// What a run's comparison comes to: a line of a table.
struct ComparedRun {
  std::string name;
  std::size_t sessions = 0;
  DifferenceCounts counts;
};

/// Several runs, each compared with the same one: a line each.
void write_comparison_table(const RunRecord& base, const std::vector<ComparedRun>& runs,
                            const ExporterOptions& options, Output& output);

/// What is stable in a series of runs, and what flickers. Verbose shows all values.
void write_series(const RunSeries& series, const ExporterOptions& options, Output& output);

}  // namespace smtpscope
