#pragma once

#include <string>

#include "diff/runs/run_comparison.h"
#include "diff/runs/run_series.h"
#include "timeline/rule_set.h"

namespace smtpscope {

/// A comparison as a JSON object: docs/comparison.schema.json, $defs/comparison. `series`: what
/// differs in it too is marked; may be nullptr.
std::string json_of(const RunComparison& comparison, const RunSeries* series);

/// What a series of runs has in common: an object of $defs/baseline.
std::string json_of(const RunSeries& series);

/// The document around the objects: one for each comparison, and the baseline's, "" without one.
std::string comparison_document(const std::vector<std::string>& comparisons,
                                const std::string& baseline, const RuleSet& rules);

}  // namespace smtpscope
