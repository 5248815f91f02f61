#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "timeline/verdict/run_summary.h"

namespace smtpscope {

class TextStyle;

/// What one of several files comes to. A value.
struct FileTotals {
  std::string file;
  bool read = false;  // else it could not be, and the rest is nought
  std::uint64_t sessions = 0;
  std::array<std::uint64_t, 4> sessions_by_worst{};  // by Severity
  std::array<std::uint64_t, 6> outcomes{};           // transactions by Outcome

  static FileTotals of(std::string file, const RunSummary& summary);
};

/// The table over all files, a line each and one for all. Complete lines.
std::string files_table(std::span<const FileTotals> files, const TextStyle& style);

}  // namespace smtpscope
