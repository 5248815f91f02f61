#include "exporters/spooled_text.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <utility>

#include "base/system_error.h"

namespace smtpscope {
namespace {

constexpr std::size_t kReadAtOnce = std::size_t{64} * 1024;

std::string folder() {
  const char* wanted = std::getenv("TMPDIR");
  return wanted != nullptr && wanted[0] != '\0' ? wanted : "/tmp";
}

}  // namespace

Spool::~Spool() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool Spool::open() {
  if (descriptor_ >= 0) return true;
  if (fault_) return false;
  descriptor_ = ::open(folder().c_str(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor_ >= 0) return true;
  // Not every file system has files without a name.
  std::string name = folder() + "/smtpscope-XXXXXX";
  descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor_ < 0) {
    fail(errno);
    return false;
  }
  ::unlink(name.c_str());
  return true;
}

void Spool::fail(int error) {
  if (fault_) return;
  fault_ =
      Error{fmt::format("cannot keep what is too much for memory in {}: {}; what is shown is not "
                        "complete. Set TMPDIR "
                        "to a folder with more room, or use -f jsonl, which needs none",
                        folder(), system_words(error))};
}

bool Spool::write(std::string_view text) {
  if (fault_ || !open()) return false;
  while (!text.empty()) {
    const ssize_t wrote = ::pwrite(descriptor_, text.data(), text.size(), static_cast<off_t>(end_));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      fail(wrote < 0 ? errno : ENOSPC);
      return false;
    }
    end_ += static_cast<std::uint64_t>(wrote);
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

bool Spool::read(std::uint64_t at, char* into, std::size_t octets) {
  while (octets > 0) {
    const ssize_t got = ::pread(descriptor_, into, octets, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      fail(got < 0 ? errno : EIO);
      return false;
    }
    at += static_cast<std::uint64_t>(got);
    into += got;
    octets -= static_cast<std::size_t>(got);
  }
  return true;
}

/// Puts the largest texts away until half of the memory is free.
void Spool::relieve() {
  if (held_ <= most_held_) return;
  std::vector<SpooledText*> largest = texts_;
  std::ranges::sort(largest, std::greater<>(),
                    [](const SpooledText* text) { return text->held_.size(); });
  for (SpooledText* text : largest) {
    if (held_ <= most_held_ / 2) return;
    const std::string part = std::exchange(text->held_, {});
    held_ -= part.size();
    const std::uint64_t at = end_;
    if (!write(part)) continue;
    auto& extents = text->extents_;
    if (!extents.empty() && extents.back().at + extents.back().octets == at) {
      extents.back().octets += part.size();
    } else {
      extents.push_back({at, part.size()});
    }
  }
}

SpooledText::SpooledText(Spool& spool) : spool_(spool), place_(spool.texts_.size()) {
  spool_.texts_.push_back(this);
}

SpooledText::~SpooledText() {
  spool_.held_ -= held_.size();
  SpooledText* const last = spool_.texts_.back();
  spool_.texts_[place_] = last;
  last->place_ = place_;
  spool_.texts_.pop_back();
}

void SpooledText::add(std::string_view text) {
  held_ += text;
  spool_.held_ += text.size();
  spool_.relieve();
}

void SpooledText::read(const std::function<void(std::string_view)>& take) const {
  std::string piece;
  // What is taken may push this text's own end out of memory: it becomes one extent more, or makes
  // the last one longer.
  for (std::size_t i = 0; i < extents_.size(); ++i) {
    for (std::uint64_t done = 0; done < extents_[i].octets;) {
      piece.resize(static_cast<std::size_t>(
          std::min<std::uint64_t>(extents_[i].octets - done, kReadAtOnce)));
      if (!spool_.read(extents_[i].at + done, piece.data(), piece.size())) return;
      done += piece.size();
      take(piece);
    }
  }
  take(held_);
}

}  // namespace smtpscope
