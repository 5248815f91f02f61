#include "capture/capture_keeper.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <utility>
#include <vector>

#include "base/system_error.h"
#include "base/worker_thread.h"
#include "capture/packed_file.h"

namespace smtpscope {
namespace {

/// A file on its way to its compressed form; it matches no pattern.
constexpr std::string_view kUnfinished = ".part";

struct Kept {
  std::string path;
  std::uint64_t octets = 0;
  WallTime written;
};

}  // namespace

CaptureKeeper::CaptureKeeper(CaptureName name, CaptureKeeping keeping, CaptureWriter::Tell tell)
    : name_(std::move(name)), keeping_(keeping), tell_(std::move(tell)) {
  thread_ = start_worker([this] { run(); });
}

CaptureKeeper::~CaptureKeeper() { finish(Duration::zero()); }

void CaptureKeeper::retire(std::unique_ptr<CaptureWriter> writer, std::string path,
                           std::string next) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({std::move(writer), std::move(path), std::move(next)});
  }
  changed_.notify_all();
}

void CaptureKeeper::finish(Duration patience) {
  if (!thread_.joinable()) return;
  {
    std::unique_lock lock(mutex_);
    closing_ = true;
    changed_.notify_all();
    if (!changed_.wait_for(lock, patience, [this] { return ended_; })) hurry_ = true;
  }
  thread_.join();
}

CaptureWriter::Totals CaptureKeeper::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

bool CaptureKeeper::whole() const {
  const std::lock_guard lock(mutex_);
  return whole_;
}

void CaptureKeeper::run() {
  while (true) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closing_ || !jobs_.empty(); });
      if (jobs_.empty()) {
        ended_ = true;
        changed_.notify_all();
        return;
      }
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    close(job);
    if (job.path.empty()) continue;
    if (keeping_.compress != CaptureKeeping::Compression::kNone) compress(job.path);
    if (name_.is_pattern()) prune(job.next);
  }
}

void CaptureKeeper::close(Job& job) {
  // A disk that is full may have room again; at the end of the run it is not waited for.
  while (!is_closing() && !job.writer->drain(BackgroundFile::kRetry)) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, BackgroundFile::kRetry, [this] { return closing_; });
  }
  const bool written = job.writer->close();
  const CaptureWriter::Totals totals = job.writer->totals();
  job.writer.reset();
  const std::lock_guard lock(mutex_);
  whole_ = whole_ && written;
  totals_ += totals;
}

bool CaptureKeeper::is_closing() const {
  const std::lock_guard lock(mutex_);
  return closing_;
}

void CaptureKeeper::compress(const std::string& path) {
  const bool zstd = keeping_.compress == CaptureKeeping::Compression::kZstd;
  const std::string packed = path + (zstd ? ".zst" : ".gz");
  const std::string unfinished = packed + std::string(kUnfinished);
  const auto done =
      zstd ? pack_with_zstd(path, unfinished, hurry_) : pack_with_gzip(path, unfinished, hurry_);
  if (!done) {
    say(fmt::format("{}; it stays as it is", done.error().message));
    return;
  }
  if (std::rename(unfinished.c_str(), packed.c_str()) != 0) {
    say(fmt::format("cannot rename {} to {}: {}", unfinished, packed, system_words(errno)));
    ::unlink(unfinished.c_str());
    return;
  }
  ::unlink(path.c_str());
}

void CaptureKeeper::prune(const std::string& next) {
  if (!keeping_.most_files && !keeping_.most_octets && !keeping_.oldest) return;
  // The newest first, by the time in the name: a file may be written to after the next one is
  // begun. Those from the next one on are not full yet, or their turn comes.
  std::vector<Kept> files;
  for (const std::string& path : name_.existing()) {
    if (path == next) break;
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) continue;
    files.push_back({path, static_cast<std::uint64_t>(found.st_size),
                     WallTime(std::chrono::seconds(found.st_mtim.tv_sec) +
                              std::chrono::nanoseconds(found.st_mtim.tv_nsec))});
  }
  std::reverse(files.begin(), files.end());
  const auto now = std::chrono::system_clock::now();
  std::uint64_t count = 0;
  std::uint64_t octets = 0;
  for (const Kept& file : files) {
    ++count;
    octets += file.octets;
    const bool goes = (keeping_.most_files && count > *keeping_.most_files) ||
                      (keeping_.most_octets && octets > *keeping_.most_octets) ||
                      (keeping_.oldest && now - file.written > *keeping_.oldest);
    if (goes && ::unlink(file.path.c_str()) != 0) {
      say(fmt::format("cannot remove the old capture {}: {}", file.path, system_words(errno)));
    }
  }
}

void CaptureKeeper::say(std::string_view text) {
  if (tell_) tell_(text);
}

}  // namespace smtpscope
