#pragma once

#include "diff/taps/taps_comparison.h"

namespace smtpscope {

/// Asks the rules that need two traces about a dialogue that is compared: two-point-divergence, and
/// interception-suspected, which it raises. The rules' words stay where the rules are.
void raise_findings(const RuleSet& rules, TapsDialogue& dialogue);

}  // namespace smtpscope
