#include "cli/output_order.h"

#include <utility>

namespace smtpscope {

void OutputOrder::write(std::size_t number, std::string_view text) {
  std::unique_lock lock(mutex_);
  if (number != turn_ && waiting_octets_ + text.size() > kMaxWaiting) {
    turned_.wait(lock, [&] { return number == turn_; });
  }
  if (number != turn_) {
    waiting_[number].text += text;
    waiting_octets_ += text.size();
    return;
  }
  // Nobody else has this turn, so the output is ours without the lock.
  const auto earlier = waiting_.find(number);
  std::string before;
  if (earlier != waiting_.end()) {
    before = std::move(earlier->second.text);
    waiting_octets_ -= before.size();
    waiting_.erase(earlier);
  }
  lock.unlock();
  put_out(before);
  put_out(text);
}

void OutputOrder::put_out(std::string_view text) {
  if (!written_ && text.starts_with('\n')) text.remove_prefix(1);
  if (text.empty()) return;
  written_ = true;
  output_.write(text);
}

void OutputOrder::end(std::size_t number, std::function<void()> afterwards) {
  std::unique_lock lock(mutex_);
  Part& part = waiting_[number];
  part.ended = true;
  part.afterwards = std::move(afterwards);
  if (number == turn_) let_go(lock);
}

/// The parts that are complete and have their turn.
void OutputOrder::let_go(std::unique_lock<std::mutex>& lock) {
  while (true) {
    const auto at = waiting_.find(turn_);
    if (at == waiting_.end() || !at->second.ended) break;
    const Part part = std::move(at->second);
    waiting_.erase(at);
    waiting_octets_ -= part.text.size();
    lock.unlock();
    put_out(part.text);
    part.afterwards();
    lock.lock();
    ++turn_;
  }
  turned_.notify_all();
}

}  // namespace smtpscope
