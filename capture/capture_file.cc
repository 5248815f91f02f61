#include "capture/capture_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "base/system_error.h"
#include "capture/new_file.h"

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

  return create_new_file(path, "the capture", force);
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
