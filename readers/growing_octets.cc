#include "readers/growing_octets.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/system_error.h"

namespace smtpscope {

GrowingOctets::GrowingOctets(int descriptor, std::string path,
                             std::function<void(std::string_view)> tell)
    : descriptor_(descriptor), path_(std::move(path)), tell_(std::move(tell)) {}

GrowingOctets::~GrowingOctets() { close(descriptor_); }

Result<std::size_t> GrowingOctets::read(std::span<std::uint8_t> room) {
  while (true) {
    const ssize_t got = ::read(descriptor_, room.data(), room.size());
    if (got > 0) {
      position_ += static_cast<std::uint64_t>(got);
      line_open_ = room[static_cast<std::size_t>(got) - 1] != '\n';
      return static_cast<std::size_t>(got);
    }
    if (got < 0) {
      if (errno == EINTR) continue;
      return Error{fmt::format("cannot read {}: {}", path_, system_words(errno))};
    }
    if (stays_ || !go_on()) return std::size_t{0};
    // A line whose end was never written ends with its file.
    if (!std::exchange(line_open_, false)) continue;
    room[0] = '\n';
    return std::size_t{1};
  }
}

/// True when there is another file to read, or this one from its beginning. All of the old one has
/// been read.
bool GrowingOctets::go_on() {
  struct stat here {};
  if (fstat(descriptor_, &here) != 0) return false;
  if (static_cast<std::uint64_t>(here.st_size) < position_) {
    if (lseek(descriptor_, 0, SEEK_SET) != 0) return false;
    position_ = 0;
    tell_(fmt::format("{} was emptied: going on with what is written to it now", path_));
    return true;
  }
  struct stat there {};
  if (stat(path_.c_str(), &there) != 0 || !S_ISREG(there.st_mode)) return false;
  if (there.st_ino == here.st_ino && there.st_dev == here.st_dev) return false;
  const int next = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (next < 0) return false;
  close(descriptor_);
  descriptor_ = next;
  position_ = 0;
  tell_(fmt::format("{} was replaced: going on with the new one", path_));
  return true;
}

}  // namespace smtpscope
