#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace smtpscope {

/// The way of batches from one thread to the next, in order and bounded: who is ahead waits. A
/// Batch has octets() and clear(); batches are used again. Either side may stop it, and then nobody
/// waits any more. One thread on each side.
template <typename Batch>
class BatchQueue {
 public:
  /// `limit`: octets of all batches under way; the last one may go beyond it.
  explicit BatchQueue(std::size_t limit) : limit_(limit) {}

  // Who fills them.

  /// An empty batch, when there is room for it; nullptr when nothing is wanted any more.
  std::unique_ptr<Batch> blank() {
    std::unique_lock lock(mutex_);
    // Who was too far ahead does not come back for each batch: threads that take turns at every one
    // do little else.
    if (octets_ >= limit_) {
      changed_.wait(lock, [this] { return stopped_ || octets_ <= limit_ / 2; });
    }
    if (stopped_) return nullptr;
    if (spares_.empty()) return std::make_unique<Batch>();
    // The one that came back last: it is the likeliest to be in a cache.
    std::unique_ptr<Batch> batch = std::move(spares_.back());
    spares_.pop_back();
    lock.unlock();
    // Here, by the thread that has filled it: what is allocated by one and freed by another costs
    // more.
    batch->clear();
    return batch;
  }
  void put(std::unique_ptr<Batch> batch) {
    const std::lock_guard lock(mutex_);
    octets_ += batch->octets();
    waiting_.push_back(std::move(batch));
    changed_.notify_all();
  }
  /// Nothing more comes.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

  // Who empties them.

  /// The next one; nullptr behind the last.
  std::unique_ptr<Batch> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopped_ || closed_ || !waiting_.empty(); });
    if (stopped_ || waiting_.empty()) return nullptr;
    std::unique_ptr<Batch> batch = std::move(waiting_.front());
    waiting_.pop_front();
    return batch;
  }
  /// One that was taken, and is as it was put.
  void give_back(std::unique_ptr<Batch> batch) {
    const std::size_t octets = batch->octets();
    const std::lock_guard lock(mutex_);
    octets_ -= octets;
    spares_.push_back(std::move(batch));
    if (octets_ <= limit_ / 2) changed_.notify_all();
  }

  /// Nothing more is wanted, or nothing more can be had. Any thread.
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }

 private:
  const std::size_t limit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Batch>> waiting_;
  std::vector<std::unique_ptr<Batch>> spares_;
  std::size_t octets_ = 0;  // under way: put, and not given back
  bool closed_ = false;
  bool stopped_ = false;
};

}  // namespace smtpscope
