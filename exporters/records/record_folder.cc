#include "exporters/records/record_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "base/system_error.h"
#include "exporters/records/record_table.h"

namespace smtpscope {
namespace {

constexpr std::string_view kPart = ".part";
constexpr std::string_view kExtension = ".jsonl";

/// It is one of ours that is not complete.
bool is_part(std::string_view name) {
  if (!name.ends_with(kPart)) return false;
  name.remove_suffix(kPart.size());
  if (!name.ends_with(kExtension)) return false;
  const std::size_t dash = name.find('-');
  return dash != std::string_view::npos && record_table(name.substr(0, dash)).has_value();
}

std::string file_name(std::string_view table, std::string_view hour, unsigned number) {
  return number < 2 ? fmt::format("{}-{}{}", table, hour, kExtension)
                    : fmt::format("{}-{}-{}{}", table, hour, number, kExtension);
}

/// A file of that name is there, whatever it is.
bool is_there(int folder, const std::string& name) {
  struct stat found {};
  return ::fstatat(folder, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0;
}

/// Renames without replacing anything. 0 or an errno.
int rename_new(int folder, const std::string& from, const std::string& to) {
  if (::renameat2(folder, from.c_str(), folder, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // A file system that cannot: a second name never replaces one either.
  if (::linkat(folder, from.c_str(), folder, to.c_str(), 0) != 0) return errno;
  return ::unlinkat(folder, from.c_str(), 0) == 0 ? 0 : errno;
}

int write_whole(int descriptor, std::string_view lines) {
  while (!lines.empty()) {
    const ssize_t written = ::write(descriptor, lines.data(), lines.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    if (written == 0) return ENOSPC;
    lines.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

/// Where the last whole line of a file ends; negative if it cannot be read.
off_t end_of_lines(int descriptor, off_t size) {
  std::array<char, 4096> block{};
  while (size > 0) {
    const off_t begin = std::max<off_t>(0, size - static_cast<off_t>(block.size()));
    const auto wanted = static_cast<std::size_t>(size - begin);
    if (::pread(descriptor, block.data(), wanted, begin) != static_cast<ssize_t>(wanted)) return -1;
    const std::size_t end = std::string_view(block.data(), wanted).rfind('\n');
    if (end != std::string_view::npos) return begin + static_cast<off_t>(end) + 1;
    size = begin;
  }
  return 0;
}

}  // namespace

Result<RecordFolder> RecordFolder::open(const std::string& path) {
  if (::mkdir(path.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return Error{fmt::format("cannot make the folder {}: {}", path, system_words(errno))};
  }
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) {
    return Error{fmt::format("cannot write records to {}: {}", path, system_words(errno))};
  }
  RecordFolder opened(path, folder);
  if (::faccessat(folder, ".", W_OK | X_OK, 0) != 0) {
    return Error{fmt::format("cannot write records to {}: {}", path, system_words(errno))};
  }
  if (const auto done = opened.complete_left(); !done) return done.error();
  return opened;
}

RecordFolder::RecordFolder(RecordFolder&& from) noexcept
    : path_(std::move(from.path_)),
      folder_(std::exchange(from.folder_, -1)),
      files_(std::exchange(from.files_, {})) {}

RecordFolder::~RecordFolder() {
  // What is not complete stays so, for the next process.
  for (auto& [key, file] : files_) ::close(file.descriptor);
  if (folder_ >= 0) ::close(folder_);
}

/// Creates the next file of a table and hour, and holds a lock on it while this process lives.
int RecordFolder::begin(std::string_view table, std::string_view hour, File& file) {
  constexpr unsigned kMostFiles = 100'000;
  for (unsigned number = 1; number < kMostFiles; ++number) {
    std::string name = file_name(table, hour, number);
    if (is_there(folder_, name)) continue;
    const int descriptor = ::openat(folder_, fmt::format("{}{}", name, kPart).c_str(),
                                    O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
                                    S_IRUSR | S_IWUSR);
    if (descriptor < 0 && errno == EEXIST) continue;
    if (descriptor < 0) return errno;
    // Where there are no locks, leftovers are not completed: see complete_left().
    (void)::flock(descriptor, LOCK_EX | LOCK_NB);
    file = {descriptor, std::move(name)};
    return 0;
  }
  return EEXIST;
}

int RecordFolder::append(std::string_view table, std::string_view hour, std::string_view lines) {
  File& file = files_[Key(hour, table)];
  if (file.descriptor < 0) {
    if (const int error = begin(table, hour, file); error != 0) {
      files_.erase(Key(hour, table));
      return error;
    }
  }
  const off_t before = ::lseek(file.descriptor, 0, SEEK_END);
  if (before < 0) return errno;
  const int error = write_whole(file.descriptor, lines);
  // The beginning of a line is no record.
  if (error != 0) (void)!::ftruncate(file.descriptor, before);
  return error;
}

int RecordFolder::complete(File& file) {
  (void)::fdatasync(file.descriptor);  // a name without ".part" is a promise
  const std::string part = fmt::format("{}{}", file.name, kPart);
  int error = rename_new(folder_, part, file.name);
  // Another process has completed one of that name since.
  const std::string stem = file.name.substr(0, file.name.size() - kExtension.size());
  for (unsigned number = 2; error == EEXIST; ++number) {
    error = rename_new(folder_, part, fmt::format("{}-{}{}", stem, number, kExtension));
  }
  ::close(file.descriptor);
  return error;
}

int RecordFolder::complete(std::string_view hour) {
  int first = 0;
  for (auto at = files_.lower_bound(Key(hour, ""));
       at != files_.end() && at->first.first == hour;) {
    const int error = complete(at->second);
    if (first == 0) first = error;
    at = files_.erase(at);
  }
  return first;
}

int RecordFolder::complete_before(std::string_view hour) {
  int first = 0;
  while (!files_.empty() && files_.begin()->first.first < hour) {
    const std::string past = files_.begin()->first.first;
    const int error = complete(past);
    if (first == 0) first = error;
  }
  return first;
}

Result<Done> RecordFolder::complete_left() {
  const int copy = ::openat(folder_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> list(copy < 0 ? nullptr : ::fdopendir(copy),
                                                 &::closedir);
  if (!list) {
    if (copy >= 0) ::close(copy);
    return Error{fmt::format("cannot look into {}: {}", path_, system_words(errno))};
  }
  std::vector<std::string> parts;
  while (const dirent* entry = ::readdir(list.get())) {
    if (is_part(entry->d_name)) parts.emplace_back(entry->d_name);
  }
  for (const std::string& part : parts) {
    if (const int error = complete_left(part); error != 0) {
      return Error{fmt::format("cannot complete {}/{}, which an earlier run has left: {}", path_,
                               part, system_words(error))};
    }
  }
  return Done{};
}

int RecordFolder::complete_left(const std::string& part) {
  File file{::openat(folder_, part.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC),
            part.substr(0, part.size() - kPart.size())};
  if (file.descriptor < 0) return errno == ENOENT ? 0 : errno;
  struct stat found {};
  if (::flock(file.descriptor, LOCK_EX | LOCK_NB) != 0 ||  // a process writes it, or nobody knows
      ::fstat(file.descriptor, &found) != 0 || !S_ISREG(found.st_mode)) {
    ::close(file.descriptor);
    return 0;
  }
  const off_t end = end_of_lines(file.descriptor, found.st_size);
  int error = 0;
  if (end < 0 || (end < found.st_size && ::ftruncate(file.descriptor, end) != 0)) error = errno;
  if (error == 0 && end > 0) return complete(file);
  if (error == 0 && ::unlinkat(folder_, part.c_str(), 0) != 0) error = errno;
  ::close(file.descriptor);
  return error;
}

}  // namespace smtpscope
