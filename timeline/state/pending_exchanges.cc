#include "timeline/state/pending_exchanges.h"

#include <span>

namespace smtpscope {

void PendingExchanges::add(const PendingExchange& exchange) {
  if (kept_.size() - head_ >= kMaxKept) return;
  // With few to drop, moving the many that stay would cost more than room for one more.
  if (head_ > kept_.size() / 2 && kept_.size() == kept_.capacity()) {
    kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  kept_.push_back(exchange);
}

PendingExchange* PendingExchanges::answer(Exchange exchange) {
  if (exchange == kNoExchange) return nullptr;
  while (head_ < kept_.size() && kept_[head_].exchange < exchange) ++head_;
  if (head_ == kept_.size() || kept_[head_].exchange != exchange) return nullptr;
  kept_[head_].answered = true;
  return &kept_[head_];
}

PendingExchange* PendingExchanges::find(Exchange exchange) {
  // By number, so looking from the youngest finds what a client just sent at once.
  for (std::size_t i = kept_.size(); i-- > head_;) {
    if (kept_[i].exchange == exchange) return &kept_[i];
    if (kept_[i].exchange < exchange) break;
  }
  return nullptr;
}

const PendingExchange* PendingExchanges::awaited() const {
  for (std::size_t i = head_; i < kept_.size(); ++i) {
    if (!kept_[i].answered) return &kept_[i];
  }
  return head_ < kept_.size() ? &kept_[head_] : nullptr;
}

void PendingExchanges::move_to(std::uint64_t from, std::uint64_t to,
                               std::uint32_t first_recipient) {
  for (PendingExchange& each : std::span(kept_).subspan(head_)) {
    if (each.transaction != from) continue;
    each.transaction = to;
    if (each.recipient != PendingExchange::kNoRecipient) each.recipient += first_recipient;
  }
}

void PendingExchanges::clear() {
  constexpr std::size_t kSmall = 8;
  kept_.clear();
  head_ = 0;
  if (kept_.capacity() > kSmall) kept_ = std::vector<PendingExchange>();
}

}  // namespace smtpscope
