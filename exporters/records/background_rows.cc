#include "exporters/records/background_rows.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "base/worker_thread.h"
#include "capture/wall_time.h"

namespace smtpscope {
namespace {

/// So long rows gather before they are written; a reader that follows the file waits no longer.
constexpr Duration kGather = std::chrono::milliseconds(100);
/// Rows of an hour may come so long after it is over: tracing is a little behind.
constexpr Duration kLate = std::chrono::seconds(5);
constexpr Duration kLook = std::chrono::seconds(1);

/// The hour whose files may still grow: "2026-11-30T14".
std::string hour_now() {
  constexpr std::size_t kHour = 13;
  const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  return format_wall_time(now - kLate).substr(0, kHour);
}

}  // namespace

/// What the thread shares with whoever appends: it may outlive them when a disk hangs.
class BackgroundRows::Shared {
 public:
  Shared(RecordFolder folder, Tell tell, std::size_t limit)
      : folder_(std::move(folder)), tell_(std::move(tell)), limit_(limit) {}

  void append(std::string_view table, std::string_view hour, std::string_view line);
  void complete(std::string_view hour);
  std::uint64_t lost() const;
  bool close(Duration patience);
  void run();

 private:
  /// What goes to one file, in one piece.
  struct Piece {
    std::string lines;
    std::uint64_t count = 0;
  };
  using Key = std::pair<std::string, std::string>;  // hour, table
  struct Batch {
    std::map<Key, Piece> pieces;
    std::vector<std::string> complete;  // hours, after the pieces
    bool empty() const { return pieces.empty() && complete.empty(); }
  };

  int write(Batch& batch);
  void tell(int error);
  void give_up(const Batch& batch);

  RecordFolder folder_;  // the thread's
  const Tell tell_;
  const std::size_t limit_;

  mutable std::mutex mutex_;  // for what follows
  std::condition_variable changed_;
  Batch waiting_;
  std::size_t octets_ = 0;  // that wait, or are being written
  std::uint64_t waiting_count_ = 0;
  std::uint64_t lost_ = 0;
  int error_ = 0;  // of the last try
  bool full_ = false;
  bool closing_ = false;
  bool silent_ = false;  // nobody is told anything any more
  bool ended_ = false;
};

void BackgroundRows::Shared::append(std::string_view table, std::string_view hour,
                                    std::string_view line) {
  const std::lock_guard lock(mutex_);
  // Holes are to be few and long.
  if (full_) full_ = octets_ > limit_ / 4 * 3;
  full_ = full_ || octets_ + line.size() > limit_;
  if (full_ || closing_) {
    ++lost_;
    return;
  }
  try {
    Piece& piece = waiting_.pieces[Key(hour, table)];
    piece.lines += line;
    ++piece.count;
  } catch (const std::bad_alloc&) {
    ++lost_;
    return;
  }
  if (octets_ == 0) changed_.notify_one();
  octets_ += line.size();
  ++waiting_count_;
}

void BackgroundRows::Shared::complete(std::string_view hour) {
  const std::lock_guard lock(mutex_);
  waiting_.complete.emplace_back(hour);
  changed_.notify_one();
}

std::uint64_t BackgroundRows::Shared::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

bool BackgroundRows::Shared::close(Duration patience) {
  std::unique_lock lock(mutex_);
  closing_ = true;
  changed_.notify_all();
  if (!changed_.wait_for(lock, patience, [this] { return ended_; })) {
    // What hangs in a write may arrive after all; nobody will be there to say so.
    lost_ += std::exchange(waiting_count_, 0);
    silent_ = true;
    return false;
  }
  return lost_ == 0 && error_ == 0;
}

void BackgroundRows::Shared::run() {
  Batch batch;
  for (;;) {
    bool last_try = false;
    {
      std::unique_lock lock(mutex_);
      if (batch.empty()) {
        changed_.wait_for(lock, kLook, [this] { return !waiting_.empty() || closing_; });
        if (!waiting_.empty()) changed_.wait_for(lock, kGather, [this] { return closing_; });
        std::swap(batch, waiting_);
      } else {  // writing has failed
        changed_.wait_for(lock, kRetry, [this] { return closing_; });
      }
      if (batch.empty() && closing_) break;
      last_try = closing_;
    }
    tell(write(batch));
    folder_.complete_before(hour_now());
    if (last_try && !batch.empty()) break;
  }
  give_up(batch);
}

void BackgroundRows::Shared::give_up(const Batch& batch) {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, piece] : batch.pieces) lost_ += piece.count;
  for (const auto& [key, piece] : waiting_.pieces) lost_ += piece.count;
  ended_ = true;
  changed_.notify_all();
}

/// What could be written is gone from the batch afterwards. 0, or the errno that the rest met.
int BackgroundRows::Shared::write(Batch& batch) {
  for (auto at = batch.pieces.begin(); at != batch.pieces.end();) {
    const auto& [hour, table] = at->first;
    if (const int error = folder_.append(table, hour, at->second.lines); error != 0) return error;
    const std::lock_guard lock(mutex_);
    octets_ -= at->second.lines.size();
    waiting_count_ -= std::min(waiting_count_, at->second.count);
    at = batch.pieces.erase(at);
  }
  while (!batch.complete.empty()) {
    if (const int error = folder_.complete(batch.complete.front()); error != 0) return error;
    batch.complete.erase(batch.complete.begin());
  }
  return 0;
}

void BackgroundRows::Shared::tell(int error) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(error_, error) == error || silent_) return;
  }
  if (tell_) tell_(error);
}

BackgroundRows::BackgroundRows(RecordFolder folder, Tell tell, std::size_t limit)
    : shared_(std::make_shared<Shared>(std::move(folder), std::move(tell), limit)) {
  start_worker([shared = shared_] { shared->run(); }).detach();
}

BackgroundRows::~BackgroundRows() {
  if (!closed_) close();
}

void BackgroundRows::append(std::string_view table, std::string_view hour, std::string_view line) {
  shared_->append(table, hour, line);
}

void BackgroundRows::complete(std::string_view hour) { shared_->complete(hour); }

std::uint64_t BackgroundRows::lost() const { return shared_->lost(); }

bool BackgroundRows::close(Duration patience) {
  closed_ = true;
  return shared_->close(patience);
}

}  // namespace smtpscope
