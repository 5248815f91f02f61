#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "trace/run_record.h"

namespace smtpscope {

/// What an exchange says, as hashes that are comparable between the two runs.
struct ExchangeKeys {
  std::uint64_t text = 0;  // all of it, but for what always differs
  std::uint64_t verb = 0;  // what kind of thing it is
};

/// What was found of two sessions: for each exchange its counterpart's place, or kAlone.
struct SessionAlignment {
  static constexpr std::size_t kAlone = std::numeric_limits<std::size_t>::max();

  std::vector<std::size_t> of_before;  // in order: they rise
  std::vector<std::size_t> of_after;
  /// Exchanges without counterpart that stand at another place in the other session.
  std::vector<std::size_t> moved_to, moved_from;  // by place before, by place after; kAlone
  /// Places of the transactions that correspond, in SessionRecord::transactions.
  std::vector<std::size_t> transaction_of_before, transaction_of_after;
};

/// Aligns two sessions: transactions by envelope, then what lies in and between them exchange by
/// exchange, equal ones first, then those of the same kind. The keys are those of the exchanges.
SessionAlignment align_sessions(const SessionRecord& before,
                                std::span<const ExchangeKeys> keys_before,
                                const SessionRecord& after,
                                std::span<const ExchangeKeys> keys_after);

}  // namespace smtpscope
