#include "capture/new_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/system_error.h"

namespace smtpscope {
namespace {

/// The folder that a path's last part lies in.
std::string folder_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// Somebody else may put a link into the folder. The sticky bit does not keep them from it.
bool others_may_write(const std::string& folder) {
  struct stat there {};
  if (::stat(folder.c_str(), &there) != 0) return true;
  const bool trusted = there.st_uid == 0 || there.st_uid == ::geteuid();
  return !trusted || (there.st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

std::string_view kind_of(mode_t mode) {
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISBLK(mode)) return "a block device";
  return "no regular file";
}

/// A device, unless it was exchanged since it was looked at.
Result<int> open_device(const std::string& path, std::string_view what) {
  // Links in /dev lead to the standard streams.
  const int no_links = others_may_write(folder_of(path)) ? O_NOFOLLOW : 0;
  const int descriptor =
      ::open(path.c_str(), O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | no_links);
  if (descriptor < 0 && errno == ELOOP) {
    return Error{fmt::format(
        "cannot write {} to {}: it is a link in a folder that others may write to, so anybody may "
        "have put it there; name the file that is meant",
        what, path)};
  }
  if (descriptor < 0) {
    return Error{fmt::format("cannot write {} to {}: {}", what, path, system_words(errno))};
  }
  struct stat opened {};
  if (::fstat(descriptor, &opened) != 0 || !S_ISCHR(opened.st_mode) ||
      ::fcntl(descriptor, F_SETFL, 0) != 0) {
    ::close(descriptor);
    return Error{fmt::format("cannot write {} to {}: it changed while it was opened", what, path)};
  }
  return descriptor;
}

int write_beginning(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(descriptor, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return wrote < 0 ? errno : ENOSPC;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return 0;
}

bool is_empty_and_ours(const struct stat& file) {
  return S_ISREG(file.st_mode) && file.st_size == 0 && file.st_uid == ::geteuid();
}

}  // namespace

Result<int> create_new_file(const std::string& path, std::string_view what, bool force) {
  struct stat there {};
  const bool exists = ::stat(path.c_str(), &there) == 0;
  if (exists && S_ISDIR(there.st_mode)) {
    return Error{
        fmt::format("cannot write {} to {}: it is a folder; name a file in it", what, path)};
  }
  if (exists && S_ISCHR(there.st_mode)) return open_device(path, what);
  if (exists && !S_ISREG(there.st_mode)) {
    return Error{
        fmt::format("cannot write {} to {}: it is {}, and only regular files are written to; name "
                    "a file, or - for standard output where a program is to read it",
                    what, path, kind_of(there.st_mode))};
  }
  if (force && ::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return Error{fmt::format("cannot replace {}: {}", path, system_words(errno))};
  }
  // Follows no link and opens nothing that is there already, whoever put it there.
  const int descriptor =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOCTTY | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor >= 0) return descriptor;
  const int error = errno;
  if (error == EEXIST) {
    return Error{
        fmt::format("{} exists, and is not overwritten; choose another name, or say --force to "
                    "replace it",
                    path)};
  }
  const std::string_view advice =
      error == ENOENT ? "; the folder must exist before" : std::string_view();
  return Error{fmt::format("cannot create {}: {}{}", path, system_words(error), advice)};
}

int begin_file_again(const std::string& path, std::string_view beginning) {
  constexpr int kFlags = O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW;
  int descriptor = ::open(path.c_str(), kFlags | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
  const bool made = descriptor >= 0;
  if (!made && errno == EEXIST) {
    descriptor = ::open(path.c_str(), kFlags | O_NONBLOCK);
    struct stat there {};
    if (descriptor >= 0 && (::fstat(descriptor, &there) != 0 || !is_empty_and_ours(there))) {
      ::close(descriptor);
      return -EEXIST;
    }
  }
  if (descriptor < 0) return -errno;
  const int fault = write_beginning(descriptor, beginning);
  if (fault == 0) return descriptor;
  if (made) {
    ::unlink(path.c_str());
  } else if (::ftruncate(descriptor, 0) != 0) {  // it is not empty then, and not taken again
  }
  ::close(descriptor);
  return -fault;
}

FileName look_for_name(int descriptor, const std::string& path) {
  struct stat ours {};
  struct stat there {};
  if (::fstat(descriptor, &ours) != 0 || !S_ISREG(ours.st_mode)) return FileName::kSame;
  if (::lstat(path.c_str(), &there) != 0) return FileName::kFree;
  if (ours.st_dev == there.st_dev && ours.st_ino == there.st_ino) return FileName::kSame;
  return is_empty_and_ours(there) ? FileName::kFree : FileName::kTaken;
}

}  // namespace smtpscope
