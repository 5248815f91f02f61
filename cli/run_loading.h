#pragma once

#include <string>

#include "base/result.h"
#include "timeline/rule_set.h"
#include "trace/run_record.h"

namespace smtpscope {

/// A run read into memory, to be compared.
struct LoadedRun {
  RunRecord run;
  /// Something of the file could not be read, and stderr was told: a comparison is not of all.
  bool damaged = false;
};

/// Reads the capture at `path` ("-": standard input), and annotates it by `rules`. What the file
/// holds that it should not goes to stderr. The Error is one of opening or reading it.
Result<LoadedRun> load_run(const std::string& path, const RuleSet& rules);

}  // namespace smtpscope
