#include "exporters/otlp/collector_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <new>
#include <numeric>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "base/counted.h"
#include "base/worker_thread.h"

namespace smtpscope {
namespace {

using QueueClock = CollectorLink::Clock;

}  // namespace

/// What the thread shares with whoever adds: it may outlive them when a name server hangs.
class CollectorQueue::Shared {
 public:
  Shared(std::unique_ptr<CollectorLink> link, std::shared_ptr<const SpanEncoding> encoding,
         bool json, std::string shown, Tell tell, const Limits& limits)
      : link_(std::move(link)),
        encoding_(std::move(encoding)),
        json_(json),
        shown_(std::move(shown)),
        tell_(std::move(tell)),
        limits_(limits),
        wait_(limits.first_wait) {}

  void add(std::string_view span);
  std::uint64_t lost() const;
  std::uint64_t waiting() const;
  bool close(Duration patience);
  void run();

 private:
  /// Spans for one request.
  struct SpanBatch {
    std::string octets;
    std::vector<std::size_t> sizes;  // of each

    void add(std::string_view span) {
      octets += span;
      sizes.push_back(span.size());
    }
    /// Keeps the first `count` of them, and gives the rest.
    SpanBatch split_behind(std::size_t count) {
      const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(count);
      const std::size_t at = std::accumulate(sizes.begin(), middle, std::size_t{0});
      SpanBatch rest{octets.substr(at), {middle, sizes.end()}};
      octets.resize(at);
      sizes.erase(middle, sizes.end());
      return rest;
    }
  };

  bool take();
  bool deliver();
  void finished(const SpanBatch& batch, std::uint64_t lost);
  void trouble(std::string_view words);
  void well();
  void told_losses(std::string_view words);
  void say(const std::string& words);
  void give_up();
  Duration next_wait(const CollectorAnswer& answer);

  const std::unique_ptr<CollectorLink> link_;  // the thread's, and so on
  const std::shared_ptr<const SpanEncoding> encoding_;
  const bool json_;
  const std::string shown_;
  const Tell tell_;
  const Limits limits_;
  std::deque<SpanBatch> mine_;  // in the order in which they are sent
  std::size_t most_spans_ = 0;  // in one request, since it said that there were too many; 0: any
  Duration wait_;
  bool in_trouble_ = false;
  std::uint64_t lost_before_ = 0;  // the trouble began
  std::uint64_t told_lost_ = 0;
  std::optional<QueueClock::time_point> told_;
  std::minstd_rand chance_{std::random_device()()};
  QueueClock::time_point not_before_{};

  mutable std::mutex mutex_;  // for what follows
  std::condition_variable changed_;
  std::deque<SpanBatch> waiting_;
  std::size_t octets_ = 0;  // that wait, or are on their way
  std::uint64_t count_ = 0;
  std::uint64_t lost_ = 0;
  bool full_ = false;
  bool closing_ = false;
  bool silent_ = false;  // nobody is told anything any more
  bool ended_ = false;
};

void CollectorQueue::Shared::add(std::string_view span) {
  const std::lock_guard lock(mutex_);
  // Holes are to be few and long.
  if (full_) full_ = octets_ > limits_.octets / 4 * 3;
  full_ = full_ || octets_ + span.size() > limits_.octets;
  if (full_ || closing_) {
    ++lost_;
    return;
  }
  try {
    if (waiting_.empty() || waiting_.back().octets.size() + span.size() > limits_.request) {
      waiting_.emplace_back();
    }
    waiting_.back().add(span);
  } catch (const std::bad_alloc&) {
    ++lost_;
    return;
  }
  octets_ += span.size();
  ++count_;
  // The first wakes the thread, which then lets more of them gather.
  if (count_ == 1 || waiting_.size() == 2) changed_.notify_one();
}

std::uint64_t CollectorQueue::Shared::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

std::uint64_t CollectorQueue::Shared::waiting() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

bool CollectorQueue::Shared::close(Duration patience) {
  link_->end_by(QueueClock::now() + patience);
  std::unique_lock lock(mutex_);
  closing_ = true;
  changed_.notify_all();
  // The link keeps to that time; a little more is for the way back from it.
  if (!changed_.wait_for(lock, patience + std::chrono::milliseconds(500),
                         [this] { return ended_; })) {
    lost_ += std::exchange(count_, 0);
    silent_ = true;
  }
  return lost_ == 0;
}

void CollectorQueue::Shared::run() {
  for (;;) {
    if (mine_.empty() && !take()) break;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_until(lock, not_before_, [this] { return closing_; });
    }
    if (!deliver()) break;
  }
  give_up();
}

/// Waits for spans. False: there are none, and none will come.
bool CollectorQueue::Shared::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !waiting_.empty() || closing_; });
  if (waiting_.empty()) return false;
  changed_.wait_for(lock, limits_.gather, [this] { return waiting_.size() > 1 || closing_; });
  mine_.push_back(std::move(waiting_.front()));
  waiting_.pop_front();
  return true;
}

/// One request. False: there is no time for more.
bool CollectorQueue::Shared::deliver() {
  while (most_spans_ > 0 && mine_.front().sizes.size() > most_spans_) {
    mine_.insert(mine_.begin() + 1, mine_.front().split_behind(most_spans_));
  }
  const SpanBatch& batch = mine_.front();
  bool last_try = false;
  {
    const std::lock_guard lock(mutex_);
    last_try = closing_;
  }
  const CollectorAnswer answer = link_->post(encoding_->request(batch.octets));
  const Delivery delivery = judge_answer(answer, json_);
  switch (delivery.step) {
    case DeliveryStep::kRetry:
      trouble(delivery.words);
      not_before_ = QueueClock::now() + next_wait(answer);
      return !last_try;
    case DeliveryStep::kSplit:
      if (batch.sizes.size() > 1) {
        most_spans_ = batch.sizes.size() / 2;
        return true;
      }
      finished(batch, 1);
      told_losses(delivery.words);
      break;
    case DeliveryStep::kGiveUp:
      finished(batch, batch.sizes.size());
      told_losses(delivery.words);
      break;
    case DeliveryStep::kDone:
      finished(batch, std::min<std::uint64_t>(delivery.rejected, batch.sizes.size()));
      if (delivery.rejected > 0) told_losses(delivery.words);
      well();
      break;
  }
  mine_.pop_front();
  wait_ = limits_.first_wait;
  return true;
}

/// What is over with: `lost` of the batch the collector does not have.
void CollectorQueue::Shared::finished(const SpanBatch& batch, std::uint64_t lost) {
  const std::lock_guard lock(mutex_);
  octets_ -= batch.octets.size();
  count_ -= std::min<std::uint64_t>(count_, batch.sizes.size());
  lost_ += lost;
}

/// The collector's wish counts; else each wait is twice the one before, by chance up to a half
/// less, so that many senders do not come all at once.
Duration CollectorQueue::Shared::next_wait(const CollectorAnswer& answer) {
  if (answer.retry_after) return *answer.retry_after;
  const Duration wait = wait_;
  wait_ = std::min(wait_ * 2, limits_.longest_wait);
  std::uniform_int_distribution<Duration::rep> part(wait.count() / 2, wait.count());
  return Duration(part(chance_));
}

void CollectorQueue::Shared::trouble(std::string_view words) {
  if (std::exchange(in_trouble_, true)) return;
  lost_before_ = told_lost_;  // what was lost while the first answer was awaited counts
  say(
      fmt::format("spans cannot be sent to {}: {}; mail flows on, spans wait as long as there is "
                  "room",
                  shown_, words));
}

void CollectorQueue::Shared::well() {
  const std::uint64_t lost = this->lost();
  if (std::exchange(in_trouble_, false)) {
    told_lost_ = lost;
    say(fmt::format("spans are sent again to {}; {}", shown_,
                    lost == lost_before_
                        ? std::string("none was lost")
                        : fmt::format("{} lost", counted(lost - lost_before_, "span"))));
  } else if (lost > told_lost_) {
    told_losses("it is slower than spans come");
  }
}

/// A fault that goes on with every request is not told with every one.
void CollectorQueue::Shared::told_losses(std::string_view words) {
  const std::uint64_t lost = this->lost();
  const auto now = QueueClock::now();
  if (lost == told_lost_ || (told_ && now - *told_ < limits_.tell_again)) return;
  told_ = now;
  say(fmt::format("{} lost, not taken by {}: {}; mail flows on",
                  counted(lost - std::exchange(told_lost_, lost), "span"), shown_, words));
}

void CollectorQueue::Shared::say(const std::string& words) {
  {
    const std::lock_guard lock(mutex_);
    if (silent_) return;
  }
  if (tell_) tell_(words);
}

void CollectorQueue::Shared::give_up() {
  const std::lock_guard lock(mutex_);
  lost_ += std::exchange(count_, 0);
  ended_ = true;
  changed_.notify_all();
}

CollectorQueue::CollectorQueue(std::unique_ptr<CollectorLink> link,
                               std::shared_ptr<const SpanEncoding> encoding, bool json,
                               std::string shown, Tell tell, const Limits& limits)
    : shared_(std::make_shared<Shared>(std::move(link), std::move(encoding), json, std::move(shown),
                                       std::move(tell), limits)) {
  start_worker([shared = shared_] { shared->run(); }).detach();
}

CollectorQueue::~CollectorQueue() {
  if (!closed_) close();
}

void CollectorQueue::add(std::string_view span) { shared_->add(span); }
std::uint64_t CollectorQueue::lost() const { return shared_->lost(); }
std::uint64_t CollectorQueue::waiting() const { return shared_->waiting(); }

bool CollectorQueue::close(Duration patience) {
  closed_ = true;
  return shared_->close(patience);
}

}  // namespace smtpscope
