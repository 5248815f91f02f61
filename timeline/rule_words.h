#pragma once

#include <array>
#include <string_view>

#include "base/prose.h"
#include "timeline/rule.h"

namespace smtpscope {

// The words of a rule are the page rules/<id>.md beside its file, for somebody who has never read
// RFC 5321. Its sections, in this order:
inline constexpr std::string_view kMeansHeading = "What it means";  // for the mail, too
inline constexpr std::string_view kCausesHeading = "Likely causes, most likely first";
inline constexpr std::string_view kTellApartHeading = "How to tell them apart";
inline constexpr std::string_view kAdviceHeading = "What to do";    // the cheapest first
inline constexpr std::string_view kCaveatsHeading = "May mislead";  // left out where nothing may
inline constexpr std::string_view kReferenceHeading = "Reference";  // RFC section or other source

struct RuleHeading {
  std::string_view key;  // in `smtpscope rules --json`
  std::string_view heading;
  bool numbered;
};
inline constexpr std::array kRuleHeadings = {
    RuleHeading{"means", kMeansHeading, false},
    RuleHeading{"causes", kCausesHeading, true},
    RuleHeading{"tell_apart", kTellApartHeading, false},
    RuleHeading{"advice", kAdviceHeading, true},
    RuleHeading{"caveats", kCaveatsHeading, false},
    RuleHeading{"reference", kReferenceHeading, false},
};

/// The page of a rule; one without words where it has none. Lives as long as the program. The
/// first call reads all pages.
const ProsePage& words_of(const Rule& rule);

}  // namespace smtpscope
