#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "capture/fidelity.h"

namespace smtpscope {

/// From here on times are too coarse to measure a program's reactions by: rules that need
/// kNeedsFineTimes compare tenths of a second.
inline constexpr Duration kCoarseTimes = std::chrono::milliseconds(100);

/// The RuleNeed bits that a trace of this fidelity does not meet.
std::uint16_t unmet_needs(const Fidelity& fidelity);

/// Why a rule cannot be decided that has these needs unmet (at least one): a clause of static
/// lifetime, as in RuleContext::not_evaluated().
std::string_view why_unmet(std::uint16_t needs);

/// What a trace of this fidelity cannot know, a few words each, static lifetime: "line ends". Not
/// the resolution of its times.
std::vector<std::string_view> unknown_in_words(const Fidelity& fidelity);

/// The step of a coarse clock in words: "1 s", "100 ms".
std::string step_text(Duration resolution);

}  // namespace smtpscope
