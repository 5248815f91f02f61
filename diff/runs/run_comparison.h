#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/time.h"
#include "diff/runs/difference.h"
#include "diff/runs/normalizer.h"
#include "diff/runs/set_aside_log.h"
#include "trace/run_record.h"

namespace smtpscope {

/// What counts as a difference.
struct ComparisonOptions {
  /// A wait counts as changed where the two differ by so much at least …
  Duration timing_threshold = std::chrono::milliseconds(500);
  /// … and the longer is so many times the shorter.
  double timing_ratio = 2.0;
  bool timing = true;
  bool reads = false;  // into how many reads the octets were cut
};

/// Two exchanges that correspond, or one that has no counterpart; and what differs in them.
struct ComparedRow {
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  std::uint32_t before = kNone, after = kNone;  // places in SessionRecord::exchanges
  std::uint32_t first_difference = 0;           // in SessionComparison::differences
  std::uint32_t difference_count = 0;
  bool moved = false;  // it stands at another place in the other run
};

/// Two sessions that correspond, or one that has no counterpart (the other is nullptr).
struct SessionComparison {
  const SessionRecord* before = nullptr;
  const SessionRecord* after = nullptr;
  std::vector<ComparedRow> rows;  // empty where there is no counterpart
  /// Those of the rows in their order, then those of the session as a whole, from `of_session` on.
  std::vector<Difference> differences;
  std::size_t of_session = 0;
  SetAsideLog set_aside;
};

/// Two runs, compared. The records must outlive it.
struct RunComparison {
  const RunRecord* before = nullptr;
  const RunRecord* after = nullptr;
  std::vector<SessionComparison> sessions;
  DifferenceCounts counts;
  SetAsideLog set_aside;               // counts only
  std::uint64_t exchanges = 0;         // that were laid beside each other
  std::uint64_t messages = 0;          // likewise
  std::uint64_t messages_in_part = 0;  // of them, not all of which is in the captures
  bool same() const { return counts.all() == 0; }
};

/// Lays two runs beside each other: sessions by what they do, their transactions by envelope, then
/// exchange by exchange. Takes near linear time.
RunComparison compare_runs(const RunRecord& before, const RunRecord& after,
                           const Normalizers& normalizers, const ComparisonOptions& options);

}  // namespace smtpscope
