#pragma once

#include <span>
#include <vector>

#include "diff/runs/difference.h"
#include "diff/runs/normalized_pool.h"
#include "diff/runs/run_comparison.h"
#include "diff/runs/set_aside_log.h"
#include "trace/run_record.h"

namespace smtpscope {

/// A run and its texts as they are compared.
struct NormalizedRun {
  const RunRecord& run;
  NormalizedPool commands, replies;
};

/// Compares exchanges that correspond. The runs must outlive it.
class ExchangeComparison {
 public:
  ExchangeComparison(const NormalizedRun& before, const NormalizedRun& after,
                     const Normalizers& normalizers, const ComparisonOptions& options)
      : before_(before), after_(after), normalizers_(normalizers), options_(options) {}

  /// Adds what differs in the two exchanges.
  void compare(const SessionRecord& session_before, const ExchangeRecord& before,
               const SessionRecord& session_after, const ExchangeRecord& after,
               std::vector<Difference>& differences, SetAsideLog& set_aside) const;

 private:
  struct Pair;

  void commands(Pair& pair) const;
  void replies(Pair& pair) const;
  void reply(Pair& pair, const ReplyRecord& before, const ReplyRecord& after) const;
  void capabilities(Pair& pair, const ReplyRecord& before, const ReplyRecord& after) const;
  void timing(Pair& pair) const;
  void wait(Pair& pair, std::string_view what, Duration before, Duration after) const;
  void reads(Pair& pair) const;

  const NormalizedRun& before_;
  const NormalizedRun& after_;
  const Normalizers& normalizers_;
  const ComparisonOptions& options_;
};

}  // namespace smtpscope
