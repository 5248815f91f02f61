#include "capture/background_file.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace smtpscope {
namespace {

/// Chunks have room behind kChunk, so that an append that begins below it fits, and memory is
/// touched once: chunks that were written are filled again.
constexpr std::size_t kChunkCapacity = 2 * BackgroundFile::kChunk;
constexpr std::size_t kMaxSpares = 4;

/// Errors that no waiting mends: nobody is there to read.
bool is_final(int error) { return error == EPIPE || error == EBADF || error == EINVAL; }

}  // namespace

struct BackgroundFile::Chunk {
  explicit Chunk(std::size_t room) : octets(new char[room]), capacity(room) {}

  std::unique_ptr<char[]> octets;  // not initialised
  std::size_t capacity;
  std::size_t size = 0;

  std::size_t room() const { return capacity - size; }
};

/// What the two threads share, and what the thread does. Outlives the BackgroundFile when the
/// thread hangs.
class BackgroundFile::Shared {
 public:
  Shared(int descriptor, Ownership ownership) : descriptor_(descriptor), ownership_(ownership) {}

  /// Gives a chunk to the thread. Gives an empty one back, or nullptr.
  std::unique_ptr<Chunk> hand_over(std::unique_ptr<Chunk> chunk);
  bool wait_until_done(Duration patience);
  bool wait_until_gone(std::uint64_t octets, Duration patience);
  void close();

  Status status() const;
  /// Octets that left the queue, one way or the other.
  std::uint64_t gone() const { return gone_.load(std::memory_order_acquire); }
  bool dead() const { return dead_.load(std::memory_order_acquire); }

  void run();

 private:
  std::unique_ptr<Chunk> take();
  bool write_out(const Chunk& chunk);
  bool wait_for_another_try(std::unique_lock<std::mutex>& lock);

  const int descriptor_;
  const Ownership ownership_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;  // for the thread
  std::condition_variable done_;     // for drain() and close()
  std::deque<std::unique_ptr<Chunk>> queue_;
  std::vector<std::unique_ptr<Chunk>> spares_;
  Status status_;
  std::uint64_t handed_over_ = 0;  // chunks
  bool closing_ = false;
  bool finished_ = false;

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
      last.size += chunk->size;
      spare = std::move(chunk);
      spare->size = 0;
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
  return done_.wait_for(lock, patience, [&] { return gone() >= octets || finished_; });
}

BackgroundFile::Status BackgroundFile::Shared::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void BackgroundFile::Shared::run() {
  while (std::unique_ptr<Chunk> chunk = take()) {
    const bool written = write_out(*chunk);
    const std::size_t size = chunk->size;
    const std::lock_guard lock(mutex_);
    gone_.fetch_add(size, std::memory_order_release);
    done_.notify_all();
    if (written && spares_.size() < kMaxSpares && chunk->capacity == kChunkCapacity) {
      chunk->size = 0;
      spares_.push_back(std::move(chunk));
    }
  }
  // Some file systems tell only now that there is no room.
  const bool failed = ownership_ == Ownership::kOwned && ::close(descriptor_) != 0;
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
    const int error = wrote < 0 ? errno : 0;
    std::unique_lock lock(mutex_);
    if (wrote > 0) {
      at += static_cast<std::size_t>(wrote);
      status_.written += static_cast<std::uint64_t>(wrote);
      status_.error = 0;
      continue;
    }
    if (!dead()) status_.error = wrote < 0 ? error : ENOSPC;
    if (is_final(status_.error)) dead_.store(true, std::memory_order_release);
    if (dead() || !wait_for_another_try(lock)) {
      status_.lost += chunk.size - at;
      return false;
    }
  }
  return true;
}

/// Waits until there is a reason to try once more. False when there will be none: it was tried
/// after close().
bool BackgroundFile::Shared::wait_for_another_try(std::unique_lock<std::mutex>& lock) {
  if (closing_) {
    // What is behind would leave a hole in the middle: nothing more is written.
    dead_.store(true, std::memory_order_release);
    return false;
  }
  const std::uint64_t before = handed_over_;
  changed_.wait(lock, [&] { return closing_ || handed_over_ != before; });
  return true;
}

BackgroundFile::BackgroundFile(int descriptor, Ownership ownership, std::size_t limit)
    : shared_(std::make_shared<Shared>(descriptor, ownership)), limit_(limit) {
  // The thread inherits the mask: signals are the loop's business, and a broken pipe is an error
  // of write() here.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  std::thread([shared = shared_] { shared->run(); }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
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
  if (chunk_ && chunk_->room() < octets) flush();
  if (chunk_ && chunk_->room() < octets) chunk_.reset();
  if (!chunk_) chunk_ = std::make_unique<Chunk>(std::max(octets, kChunkCapacity));
  return chunk_->octets.get() + chunk_->size;
}

void BackgroundFile::commit(std::size_t octets) {
  assert(chunk_ && octets <= chunk_->room());
  chunk_->size += octets;
  if (chunk_->size >= kChunk) flush();
}

bool BackgroundFile::has_room_for(std::size_t octets) {
  const std::uint64_t queued = handed_over_ - shared_->gone() + (chunk_ ? chunk_->size : 0);
  const std::size_t bound = full_ ? limit_ - limit_ / 4 : limit_;
  full_ = queued + octets > bound;
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

bool BackgroundFile::close(Duration patience) {
  if (!closed_) {
    flush();
    closed_ = true;
    shared_->close();
  }
  const bool finished = shared_->wait_until_done(patience);
  const Status status = shared_->status();
  return finished && status.lost == 0 && status.error == 0;
}

}  // namespace smtpscope
