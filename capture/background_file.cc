#include "capture/background_file.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "base/worker_thread.h"
#include "capture/spare_memory.h"

namespace smtpscope {
namespace {

/// Chunks have room behind kChunk, so that an append that begins below it fits, and memory is
/// touched once: chunks that were written are filled again.
constexpr std::size_t kChunkCapacity = 2 * BackgroundFile::kChunk;
constexpr std::size_t kMaxSpares = 4;
constexpr std::size_t kFirstMarks = 128;

/// Errors that no waiting mends: nobody is there to read.
bool is_final(int error) { return error == EPIPE || error == EBADF || error == EINVAL; }

}  // namespace

struct BackgroundFile::Chunk {
  /// An append that counts for something, and where it ends.
  struct Mark {
    std::size_t end = 0;
    Counts counts;
  };

  /// nullptr: there is no memory.
  static std::unique_ptr<Chunk> make(std::size_t room) {
    if (!can_have_memory(room + kRelaysShare)) return nullptr;
    std::unique_ptr<Chunk> chunk(new (std::nothrow) Chunk);
    if (!chunk) return nullptr;
    chunk->octets.reset(new (std::nothrow) char[room]);
    chunk->capacity = room;
    return chunk->octets ? std::move(chunk) : nullptr;
  }

  std::unique_ptr<char[]> octets;  // not initialised
  std::size_t capacity = 0;
  std::size_t size = 0;
  std::vector<Mark> marks;  // in order

  std::size_t room() const { return capacity - size; }
  void clear() {
    size = 0;
    marks.clear();
  }
};

/// What the two threads share, and what the thread does. Outlives the BackgroundFile when the
/// thread hangs.
class BackgroundFile::Shared {
 public:
  Shared(int descriptor, Ownership ownership, Tell tell)
      : descriptor_(descriptor), ownership_(ownership), tell_(std::move(tell)) {}
  Shared(Open open, Tell tell)
      : open_(std::move(open)), ownership_(Ownership::kOwned), tell_(std::move(tell)) {}

  /// Gives a chunk to the thread. Gives an empty one back, or nullptr.
  std::unique_ptr<Chunk> hand_over(std::unique_ptr<Chunk> chunk);
  /// One that was written and can be filled again, or nullptr.
  std::unique_ptr<Chunk> spare();
  /// Counts what waits behind a write that hangs as lost, and lets go of its memory.
  void give_up();
  bool wait_until_done(Duration patience);
  bool wait_until_gone(std::uint64_t octets, Duration patience);
  void close();
  void tell_nothing_more();

  Status status() const;
  /// Octets that left the queue, one way or the other.
  std::uint64_t gone() const { return gone_.load(std::memory_order_acquire); }
  int descriptor() const { return descriptor_; }
  bool dead() const { return dead_.load(std::memory_order_acquire); }

  void run();

 private:
  void open();
  std::unique_ptr<Chunk> take();
  bool write_out(const Chunk& chunk);
  bool wait_for_another_try(std::unique_lock<std::mutex>& lock);
  void lose(const Chunk& chunk, std::size_t written);
  void tell(int error);

  std::atomic<int> descriptor_{-1};  // set by the thread
  const Open open_;
  const Ownership ownership_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;  // for the thread
  std::condition_variable done_;     // for drain() and close()
  std::deque<std::unique_ptr<Chunk>> queue_;
  std::vector<std::unique_ptr<Chunk>> spares_;
  Status status_;
  std::uint64_t handed_over_ = 0;  // chunks
  bool closing_ = false;
  std::uint64_t asked_ = 0;  // times that somebody waited for what is queued
  // When the try began that is under way: one that was begun before does not tell how things are.
  bool try_at_close_ = false;
  std::uint64_t try_for_ = 0;
  std::uint64_t failed_for_ = 0;  // the last try that failed, by asked_
  bool finished_ = false;

  bool in_trouble_ = false;  // the thread's
  std::mutex tell_mutex_;
  Tell tell_;

  // Asked at each append: without the mutex.
  std::atomic<std::uint64_t> gone_{0};
  std::atomic<bool> dead_{false};
};

std::unique_ptr<BackgroundFile::Chunk> BackgroundFile::Shared::hand_over(
    std::unique_ptr<Chunk> chunk) {
  std::unique_ptr<Chunk> spare;
  {
    const std::lock_guard lock(mutex_);
    ++handed_over_;
    if (!queue_.empty() && queue_.back()->room() >= chunk->size) {
      // The thread is busy and small chunks come: they share one, or a stalled disk would cost a
      // chunk's memory for each flush.
      Chunk& last = *queue_.back();
      std::memcpy(last.octets.get() + last.size, chunk->octets.get(), chunk->size);
      for (const Chunk::Mark& mark : chunk->marks) {
        last.marks.push_back({last.size + mark.end, mark.counts});
      }
      last.size += chunk->size;
      spare = std::move(chunk);
      spare->clear();
    } else {
      queue_.push_back(std::move(chunk));
      if (!spares_.empty()) {
        spare = std::move(spares_.back());
        spares_.pop_back();
      }
    }
  }
  changed_.notify_one();
  return spare;
}

std::unique_ptr<BackgroundFile::Chunk> BackgroundFile::Shared::spare() {
  const std::lock_guard lock(mutex_);
  if (spares_.empty()) return nullptr;
  std::unique_ptr<Chunk> chunk = std::move(spares_.back());
  spares_.pop_back();
  return chunk;
}

void BackgroundFile::Shared::give_up() {
  const std::lock_guard lock(mutex_);
  if (finished_) return;
  dead_.store(true, std::memory_order_release);
  for (const std::unique_ptr<Chunk>& chunk : queue_) {
    lose(*chunk, 0);
    gone_.fetch_add(chunk->size, std::memory_order_release);
  }
  queue_.clear();
  spares_.clear();
}

void BackgroundFile::Shared::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_one();
}

bool BackgroundFile::Shared::wait_until_done(Duration patience) {
  std::unique_lock lock(mutex_);
  return done_.wait_for(lock, patience, [this] { return finished_; });
}

bool BackgroundFile::Shared::wait_until_gone(std::uint64_t octets, Duration patience) {
  std::unique_lock lock(mutex_);
  const std::uint64_t asked = ++asked_;
  changed_.notify_one();
  // A disk that fails now as well is not waited for.
  done_.wait_for(lock, patience,
                 [&] { return gone() >= octets || finished_ || failed_for_ >= asked; });
  return gone() >= octets || finished_;
}

void BackgroundFile::Shared::tell_nothing_more() {
  const std::lock_guard lock(tell_mutex_);
  tell_ = nullptr;
}

void BackgroundFile::Shared::tell(int error) {
  const std::lock_guard lock(tell_mutex_);
  if (tell_) tell_(error);
}

BackgroundFile::Status BackgroundFile::Shared::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

/// However often it takes. Once it is given up, all that is to be written is lost.
void BackgroundFile::Shared::open() {
  if (!open_) return;
  {
    const std::lock_guard lock(mutex_);
    try_at_close_ = closing_;
    try_for_ = asked_;
  }
  while (true) {
    const int got = open_();
    if (got >= 0) {
      descriptor_ = got;
      return;
    }
    if (!std::exchange(in_trouble_, true)) tell(-got);
    std::unique_lock lock(mutex_);
    status_.error = -got;
    failed_for_ = try_for_;
    done_.notify_all();
    if (!wait_for_another_try(lock)) return;
  }
}

void BackgroundFile::Shared::run() {
  open();
  while (std::unique_ptr<Chunk> chunk = take()) {
    const bool written = write_out(*chunk);
    const std::size_t size = chunk->size;
    bool over = false;
    {
      const std::lock_guard lock(mutex_);
      gone_.fetch_add(size, std::memory_order_release);
      done_.notify_all();
      if (written && spares_.size() < kMaxSpares && chunk->capacity == kChunkCapacity) {
        chunk->clear();
        spares_.push_back(std::move(chunk));
      }
      over = written && queue_.empty();
    }
    // Not at the first octets that are taken: a disk that is nearly full takes a few now and then.
    if (over && std::exchange(in_trouble_, false)) tell(0);
  }
  // Some file systems tell only now that there is no room.
  const bool failed =
      ownership_ == Ownership::kOwned && descriptor_ >= 0 && ::close(descriptor_) != 0;
  const int error = errno;
  const std::lock_guard lock(mutex_);
  if (failed) status_.error = error;
  finished_ = true;
  done_.notify_all();
}

/// The next chunk, or nullptr when there will be none.
std::unique_ptr<BackgroundFile::Chunk> BackgroundFile::Shared::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return closing_ || !queue_.empty(); });
  if (queue_.empty()) return nullptr;
  try_at_close_ = closing_;
  try_for_ = asked_;
  std::unique_ptr<Chunk> chunk = std::move(queue_.front());
  queue_.pop_front();
  return chunk;
}

/// Writes the chunk from its beginning to its end, however often it takes. False when the rest of
/// it is lost.
bool BackgroundFile::Shared::write_out(const Chunk& chunk) {
  std::size_t at = 0;
  while (at < chunk.size) {
    ssize_t wrote = 0;
    if (!dead()) {
      wrote = ::write(descriptor_, chunk.octets.get() + at, chunk.size - at);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0 && errno == EAGAIN) {
        // Somebody made the terminal or pipe that we share with him non-blocking.
        pollfd ready{descriptor_, POLLOUT, 0};
        ::poll(&ready, 1, -1);
        continue;
      }
    }
    if (wrote > 0) {
      at += static_cast<std::size_t>(wrote);
      const std::lock_guard lock(mutex_);
      status_.written += static_cast<std::uint64_t>(wrote);
      status_.error = 0;
      continue;
    }
    if (!dead()) {
      const int error = wrote < 0 ? errno : ENOSPC;
      if (!std::exchange(in_trouble_, true)) tell(error);
      const std::lock_guard lock(mutex_);
      status_.error = error;
      failed_for_ = try_for_;
      if (is_final(error)) dead_.store(true, std::memory_order_release);
      done_.notify_all();
    }
    std::unique_lock lock(mutex_);
    if (dead() || !wait_for_another_try(lock)) {
      lose(chunk, at);
      return false;
    }
  }
  return true;
}

/// Counts what is not written of a chunk. With the mutex.
void BackgroundFile::Shared::lose(const Chunk& chunk, std::size_t written) {
  status_.lost += chunk.size - written;
  for (const Chunk::Mark& mark : chunk.marks) {
    if (mark.end <= written) continue;
    status_.lost_counts.events += mark.counts.events;
    status_.lost_counts.octets += mark.counts.octets;
  }
}

/// Waits until there is a reason to try once more. False when there will be none: it was tried
/// after close().
bool BackgroundFile::Shared::wait_for_another_try(std::unique_lock<std::mutex>& lock) {
  if (closing_ && try_at_close_) {
    // What is behind would leave a hole in the middle: nothing more is written.
    dead_.store(true, std::memory_order_release);
    return false;
  }
  const std::uint64_t before = handed_over_;
  // Nothing may come any more, since the queue is full: so after a while it is tried anyway.
  changed_.wait_for(lock, kRetry,
                    [&] { return closing_ || handed_over_ != before || asked_ != try_for_; });
  try_at_close_ = closing_;
  try_for_ = asked_;
  return true;
}

BackgroundFile::BackgroundFile(int descriptor, Ownership ownership, std::size_t limit, Tell tell)
    : shared_(std::make_shared<Shared>(descriptor, ownership, std::move(tell))), limit_(limit) {
  start();
}

BackgroundFile::BackgroundFile(Open open, std::size_t limit, Tell tell)
    : shared_(std::make_shared<Shared>(std::move(open), std::move(tell))), limit_(limit) {
  start();
}

void BackgroundFile::start() {
  // Without signals a broken pipe is an error of write() here.
  start_worker([shared = shared_] { shared->run(); }).detach();
}

BackgroundFile::~BackgroundFile() { close(kPatience); }

bool BackgroundFile::append(std::string_view text) {
  char* out = reserve(text.size());
  if (!out) return false;
  std::memcpy(out, text.data(), text.size());
  commit(text.size());
  return true;
}

char* BackgroundFile::reserve(std::size_t octets) {
  if (closed_ || shared_->dead() || !has_room_for(octets)) return nullptr;
  try {
    if (chunk_ && chunk_->room() < octets) flush();
    if (chunk_ && chunk_->room() < octets) chunk_.reset();
    // Whoever has spoken before can say so much again, though there is no memory any more.
    if (!chunk_ && octets <= kChunkCapacity) chunk_ = shared_->spare();
    if (!chunk_) chunk_ = Chunk::make(std::max(octets, kChunkCapacity));
    if (!chunk_) return nullptr;
    // So that commit() cannot fail.
    std::vector<Chunk::Mark>& marks = chunk_->marks;
    if (marks.size() == marks.capacity()) marks.reserve(2 * marks.size() + kFirstMarks);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  return chunk_->octets.get() + chunk_->size;
}

void BackgroundFile::commit(std::size_t octets, Counts counts) {
  assert(chunk_ && octets <= chunk_->room());
  chunk_->size += octets;
  if (counts.events > 0) chunk_->marks.push_back({chunk_->size, counts});
  if (chunk_->size >= kChunk) flush();
}

std::uint64_t BackgroundFile::queued() const {
  return handed_over_ - shared_->gone() + (chunk_ ? chunk_->size : 0);
}

bool BackgroundFile::has_room_for(std::size_t octets) {
  const std::size_t bound = full_ ? limit_ - limit_ / 4 : limit_;
  full_ = queued() + octets > bound;
  return !full_;
}

bool BackgroundFile::pending() const { return chunk_ && chunk_->size > 0; }

void BackgroundFile::flush() {
  if (!pending()) return;
  handed_over_ += chunk_->size;
  chunk_ = shared_->hand_over(std::move(chunk_));
}

bool BackgroundFile::drain(Duration patience) {
  if (closed_) return true;
  flush();
  return shared_->wait_until_gone(handed_over_, patience);
}

BackgroundFile::Status BackgroundFile::status() const { return shared_->status(); }

int BackgroundFile::descriptor() const { return shared_->descriptor(); }

bool BackgroundFile::close(Duration patience) {
  if (!closed_) {
    flush();
    closed_ = true;
    shared_->close();
  }
  const bool finished = shared_->wait_until_done(given_up_ ? Duration::zero() : patience);
  if (!finished) {
    shared_->give_up();
    given_up_ = true;
  }
  shared_->tell_nothing_more();
  const Status status = shared_->status();
  return finished && status.lost == 0 && status.error == 0;
}

}  // namespace smtpscope
