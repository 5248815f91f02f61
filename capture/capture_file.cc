#include "capture/capture_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "base/system_error.h"

namespace smtpscope {
namespace {

Result<int> duplicate(int descriptor, std::string_view name) {
  const int copy = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return Error{fmt::format("cannot use the {}: {}", name, system_words(errno))};
  return copy;
}

}  // namespace

Result<int> create_capture_file(const std::string& path, bool force) {
  if (path == "-") return duplicate(STDOUT_FILENO, "standard output");

  struct stat there {};
  const bool exists = ::stat(path.c_str(), &there) == 0;
  if (exists && S_ISDIR(there.st_mode)) {
    return Error{
        fmt::format("cannot write the capture to {}: it is a folder; name a file in it", path)};
  }
  if (exists && !S_ISREG(there.st_mode)) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC);
    if (descriptor >= 0) return descriptor;
    return Error{fmt::format("cannot write the capture to {}: {}", path, system_words(errno))};
  }

  if (force && ::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return Error{fmt::format("cannot replace {}: {}", path, system_words(errno))};
  }
  const int descriptor =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOCTTY | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor >= 0) return descriptor;
  const int error = errno;
  if (error == EEXIST) {
    return Error{
        fmt::format("{} exists, and captures are never overwritten; choose another name, "
                    "or say --force to replace it",
                    path)};
  }
  const std::string_view advice =
      error == ENOENT ? "; the folder must exist before" : std::string_view();
  return Error{fmt::format("cannot create {}: {}{}", path, system_words(error), advice)};
}

Result<int> open_capture_file(const std::string& path) {
  if (path == "-") return duplicate(STDIN_FILENO, "standard input");
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_NOCTTY | O_CLOEXEC);
  if (descriptor < 0) return Error{fmt::format("cannot open {}: {}", path, system_words(errno))};
  struct stat opened {};
  if (::fstat(descriptor, &opened) == 0 && S_ISDIR(opened.st_mode)) {
    ::close(descriptor);
    return Error{fmt::format("{} is a folder; name a capture in it", path)};
  }
  return descriptor;
}

}  // namespace smtpscope
