#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "timeline/rule.h"

namespace smtpscope {

/// How far a headline reaches for what it folds.
enum class FoldScope : std::uint8_t {
  kSameSilence,
  kSamePlace,  // about the same entry, or a silence right before it
  kSameTransaction,
  kNamedEntries,         // about an entry that the headline names, or a silence right before it
  kBetweenTransactions,  // from the end of the transaction before to the beginning of this one
  kSameSession,
};

/// One line is enough where several rules tell the same story: `headline` is shown, `folded` goes
/// under it. `variant` limits that to one variant of the folded rule; "" means any.
struct Precedence {
  std::string_view headline;
  std::string_view folded;
  FoldScope scope;
  std::string_view variant = "";
};

/// All of them.
std::span<const Precedence> all_precedences();

/// What folding needs to know of an annotation.
struct FoldSubject {
  const Rule* rule = nullptr;
  std::string_view variant = "";
  std::uint64_t transaction = 0;  // 0: none
  std::uint64_t silence = 0;      // number of the silence that it is about; 0: none
  std::uint64_t place = 0;        // number of the entry that it is about, or that comes next
  /// Those that it names; of a headline that is being emitted only, valid so long.
  std::span<const std::uint64_t> entries = {};
};

/// A range of places, both ends included.
struct PlaceRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Rows, looked up by headline: a finding is compared with many others. Not changed once made;
/// thread-safe.
class PrecedenceTable {
 public:
  explicit PrecedenceTable(std::span<const Precedence> rows);

  /// `headline` folds `folded`. `between` is what FoldScope::kBetweenTransactions means now.
  bool folds(const FoldSubject& headline, const FoldSubject& folded, PlaceRange between) const;

  /// That of all_precedences().
  static const PrecedenceTable& standard();

 private:
  /// A row with its rule found.
  struct Row {
    const Rule* folded;
    FoldScope scope;
    std::string_view variant;
  };
  std::vector<std::pair<const Rule*, std::vector<Row>>> rows_;  // by headline
};

}  // namespace smtpscope
