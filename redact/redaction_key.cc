#include "redact/redaction_key.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/system_error.h"

namespace smtpscope {
namespace {

constexpr std::size_t kLeastKey = 32;
constexpr std::size_t kMostKey = 4096;

/// An open file that is closed at the end.
struct KeyFile {
  int descriptor;
  ~KeyFile() {
    if (descriptor >= 0) ::close(descriptor);
  }
};

Result<std::string> make_key_file(const std::string& path) {
  Result<std::string> key = random_redaction_key();
  if (!key) return key;
  const KeyFile file{
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR)};
  const std::string line = key.value() + "\n";
  if (file.descriptor < 0 ||
      ::write(file.descriptor, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    const int error = errno;
    if (file.descriptor >= 0) ::unlink(path.c_str());
    return Error{fmt::format("cannot make the key {}: {}", path, system_words(error))};
  }
  return line;
}

}  // namespace

Result<std::string> random_redaction_key() {
  unsigned char octets[kLeastKey];
  if (::getrandom(octets, sizeof octets, 0) != static_cast<ssize_t>(sizeof octets)) {
    return Error{fmt::format("cannot make a key: no random numbers: {}", system_words(errno))};
  }
  std::string key;
  for (const unsigned char octet : octets) key += fmt::format("{:02x}", octet);
  return key;
}

Result<std::string> read_redaction_key(const std::string& path, bool& made) {
  made = false;
  const KeyFile file{::open(path.c_str(), O_RDONLY | O_NOCTTY | O_CLOEXEC)};
  if (file.descriptor < 0 && errno == ENOENT) {
    made = true;
    return make_key_file(path);
  }
  if (file.descriptor < 0) {
    return Error{fmt::format("cannot read the key {}: {}", path, system_words(errno))};
  }
  struct stat opened {};
  if (::fstat(file.descriptor, &opened) != 0 || S_ISDIR(opened.st_mode)) {
    return Error{fmt::format("cannot read the key {}: it is no file", path)};
  }
  if (S_ISREG(opened.st_mode) && (opened.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Error{fmt::format(
        "{} may be read by others, who could undo the pseudonyms with it; chmod 600 it", path)};
  }
  std::string key(kMostKey, '\0');
  std::size_t size = 0;
  while (size < key.size()) {
    const ssize_t got = ::read(file.descriptor, key.data() + size, key.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{fmt::format("cannot read the key {}: {}", path, system_words(errno))};
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  key.resize(size);
  if (size < kLeastKey) {
    return Error{
        fmt::format("the key {} has {} octets, at least {} are needed; name a file that "
                    "does not exist, and a key is made",
                    path, size, kLeastKey)};
  }
  return key;
}

}  // namespace smtpscope
