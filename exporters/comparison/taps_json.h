#pragma once

#include <string>

#include "diff/taps/taps_comparison.h"
#include "timeline/rule_set.h"

namespace smtpscope {

/// A comparison of two taps as one JSON document; docs/taps.schema.json describes it.
std::string taps_document(const TapsComparison& comparison, const RuleSet& rules);

}  // namespace smtpscope
