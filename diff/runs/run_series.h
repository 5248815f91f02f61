#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "diff/runs/run_comparison.h"

namespace smtpscope {

/// Something that is not the same in all runs of a series, by the place where it differs.
struct Flicker {
  /// More different values than this are not told apart.
  static constexpr std::size_t kKeptValues = 8;

  DifferenceKind kind = DifferenceKind::kCommandChanged;
  SessionId session = 0;  // of the base run; 0: it has none
  std::string subject;
  std::string base;                 // what the base run has there
  std::vector<std::string> values;  // what others have, each once
  std::uint64_t runs = 0;           // in which it was not as in the base run
  Duration shortest{}, longest{};   // kTiming: of the waits, that of the base run included
};

/// Runs of the same client that should be alike, compared with the first of them: what is stable in
/// them and what flickers. Keeps no run but the base. Not thread-safe.
class RunSeries {
 public:
  /// `base` and `options` must outlive the series.
  RunSeries(const RunRecord& base, const ComparisonOptions& options)
      : base_(base), options_(options) {}

  /// One more run of the series, as compared with the base.
  void add(const RunComparison& run);

  /// The difference is one that the series itself has: the same value was seen, a wait of that
  /// length, or it is another in every run.
  bool flickers(const SessionComparison& session, const Difference& difference) const;

  const RunRecord& base() const { return base_; }
  std::uint64_t runs() const { return runs_; }  // the base included
  /// Those that differ in the most runs first.
  std::vector<Flicker> flickers() const;
  std::uint64_t exchanges() const { return exchanges_; }  // of the base
  /// Exchanges of the base that are the same in every run.
  std::uint64_t stable() const;

 private:
  const RunRecord& base_;
  const ComparisonOptions& options_;
  std::uint64_t runs_ = 1;
  std::uint64_t exchanges_ = 0;
  std::map<std::string, Flicker> flickers_;
  std::map<SessionId, std::vector<bool>> unstable_;  // by session of the base, by exchange
};

}  // namespace smtpscope
