#pragma once

#include "diff/runs/run_comparison.h"
#include "exporters/exporter.h"
#include "exporters/output.h"

namespace smtpscope {

/// How two runs are shown to people.
struct ComparisonLayout {
  bool side_by_side = false;
  std::size_t context = 2;  // exchanges shown around what differs; verbose: all
};

/// Writes a comparison for people: session by session what differs, then what was set aside and
/// what it comes to. Verbose shows all exchanges and what was set aside.
void write_comparison_text(const RunComparison& comparison, const ComparisonLayout& layout,
                           const ExporterOptions& options, Output& output);

}  // namespace smtpscope
