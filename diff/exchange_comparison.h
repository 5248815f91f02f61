#pragma once

#include <span>
#include <vector>

#include "diff/difference.h"
#include "diff/normalized_pool.h"
#include "diff/run_comparison.h"
#include "diff/run_record.h"
#include "diff/set_aside_log.h"

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

/// How a line ended, in words: "ends in bare LF".
std::string ending_words(LineEnding ending);

/// An exchange in a few words: its command, "greeting", "mail data" …
std::string exchange_name(const RunRecord& run, const ExchangeRecord& exchange);

}  // namespace smtpscope
