#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "timeline/state/session_state.h"

namespace smtpscope {

/// What was sent and is owed a reply, oldest first. The Conversation counts replies and says which
/// exchange each answers; this knows the entry, the times and the transaction behind that number.
/// Bounded: what is sent beyond kMaxKept outstanding exchanges is not remembered, its reply then
/// names no entry. Owns no heap memory until the first command. Not thread-safe.
class PendingExchanges {
 public:
  static constexpr std::size_t kMaxKept = 4096;

  void add(const PendingExchange& exchange);
  /// What `exchange` is, nullptr if not known. Older ones will not be answered any more and go.
  /// The answered one stays until a later one is answered: an element can be owed several replies.
  PendingExchange* answer(Exchange exchange);
  /// What `exchange` is, nullptr if not known; nothing is forgotten.
  PendingExchange* find(Exchange exchange);
  /// The one whose reply is awaited, nullptr if none is known.
  const PendingExchange* awaited() const;
  /// All that are kept, oldest first; the first may be answered already.
  std::span<const PendingExchange> kept() const { return std::span(kept_).subspan(head_); }
  /// Everything that belongs to transaction `from` belongs to `to`; its recipients are numbered on
  /// from `first_recipient`.
  void move_to(std::uint64_t from, std::uint64_t to, std::uint32_t first_recipient);
  /// Nothing is owed any more.
  void clear();

 private:
  std::vector<PendingExchange> kept_;  // [head_, end)
  std::size_t head_ = 0;
};

}  // namespace smtpscope
