#pragma once

#include <span>
#include <string>
#include <vector>

#include "diff/taps/taps_comparison.h"

namespace smtpscope {

/// What something in between did, for somebody who has never read RFC 5321: clauses with "it" as
/// their subject and without a full stop, "it held the message for 10.003 s". What is of one kind
/// is one clause, with counts.
std::vector<std::string> taps_clauses(std::span<const TapsChange> changes);

/// The clause as a sentence.
std::string as_sentence(std::string clause);

/// Writes TapsComparison::verdict of a comparison that is complete otherwise.
std::vector<VerdictLine> taps_verdict(const TapsComparison& comparison);

}  // namespace smtpscope
