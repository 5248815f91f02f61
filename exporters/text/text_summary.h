#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "exporters/text/text_style.h"
#include "timeline/verdict/run_summary.h"

namespace smtpscope {

/// The transactions of a run: "1 accepted, 2 rejected"; "" if there were none.
std::string by_outcome(const RunSummary& summary);

std::string by_outcome(const std::array<std::uint64_t, 6>& outcomes);
/// Sessions by their worst finding: "3 with error, 1 with notice".
std::string by_severity(const std::array<std::uint64_t, 4>& counts);

/// The table at the end of a run: sessions, transactions by outcome, the findings that matter most,
/// the longest silences, and each client's share. Complete lines.
std::string summary_table(const RunSummary& summary, const TextStyle& style);

}  // namespace smtpscope
