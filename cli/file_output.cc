#include "cli/file_output.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <utility>

#include "base/system_error.h"
#include "capture/new_file.h"
#include "cli/subcommand.h"

namespace smtpscope {
namespace {

/// What write(2) is given at once; the size of a pipe's buffer.
constexpr std::size_t kBuffered = 64 * 1024;

Error cannot_write(std::string_view path, int error) {
  return {fmt::format("cannot write {}: {}", path, system_words(error))};
}

bool is_same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

}  // namespace

FileOutput::FileOutput() : FileOutput(STDOUT_FILENO, "standard output", false) {}

FileOutput::FileOutput(int descriptor, std::string name, bool owned)
    : descriptor_(descriptor), name_(std::move(name)), owned_(owned) {}

FileOutput::FileOutput(FileOutput&& from) noexcept
    : descriptor_(std::exchange(from.descriptor_, -1)),
      name_(std::move(from.name_)),
      owned_(std::exchange(from.owned_, false)),
      buffer_(std::move(from.buffer_)),
      fault_(from.fault_.load()) {}

FileOutput::~FileOutput() {
  if (descriptor_ < 0) return;
  flush();
  if (owned_) close(descriptor_);
}

Result<FileOutput> FileOutput::create(const std::string& path, bool force,
                                      std::span<const std::string> inputs, std::string_view what) {
  struct stat existing {};
  if (stat(path.c_str(), &existing) == 0) {
    for (const std::string& input : inputs) {
      struct stat source {};
      if (stat(input.c_str(), &source) == 0 && is_same_file(source, existing)) {
        return Error{fmt::format("{} is the file being read; write to another one", path)};
      }
    }
  }
  const Result<int> descriptor = create_new_file(path, what, force);
  if (!descriptor) return descriptor.error();
  return FileOutput(descriptor.value(), path, true);
}

void FileOutput::write(std::string_view text) {
  if (broken()) return;
  buffer_ += text;
  if (buffer_.size() >= kBuffered) flush();
}

void FileOutput::flush() {
  std::size_t done = 0;
  while (done < buffer_.size() && !broken()) {
    const ssize_t wrote = ::write(descriptor_, buffer_.data() + done, buffer_.size() - done);
    if (wrote >= 0) {
      done += static_cast<std::size_t>(wrote);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      // Standard output is what the shell made it; a terminal shared with ssh may be non-blocking.
      pollfd writable{descriptor_, POLLOUT, 0};
      poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      fault_ = errno;
    }
  }
  buffer_.clear();
}

std::optional<Error> FileOutput::fault() const {
  if (fault_ == 0 || fault_ == EPIPE) return std::nullopt;
  return cannot_write(name_, fault_);
}

int print(std::string_view text) {
  FileOutput out;
  out.write(text);
  out.flush();
  const std::optional<Error> fault = out.fault();
  return fault ? fail(fault->message) : kExitFine;
}

}  // namespace smtpscope
