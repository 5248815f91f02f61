#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace smtpscope {

/// How far a headline reaches for what it folds.
enum class FoldScope : std::uint8_t {
  kSamePlace,  // about the same entry, or a silence right before it
  kSameTransaction,
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

/// All of them. Ids of rules that do not exist (yet) are harmless.
std::span<const Precedence> all_precedences();

}  // namespace smtpscope
