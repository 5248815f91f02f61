#pragma once

#include <string>

#include "timeline/rule_set.h"
#include "timeline/verdict/run_summary.h"

namespace smtpscope {

// The JSON form of what concerns a whole run; docs/timeline.schema.json describes it. Each gives
// one object on one line.

/// What all sessions come to.
std::string json_of(const RunSummary& summary);

/// Which rules were off, and every threshold in force, as --set takes it.
std::string json_of(const RuleSet& rules);

}  // namespace smtpscope
