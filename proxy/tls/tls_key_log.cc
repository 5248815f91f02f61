#include "proxy/tls/tls_key_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "base/system_error.h"
#include "capture/new_file.h"

namespace smtpscope {

namespace {

/// A file of ours, to be written to at its end; nothing where there is none.
Result<std::optional<int>> open_at_end(const std::string& path) {
  const int descriptor =
      ::open(path.c_str(), O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0 && errno == ENOENT) return std::optional<int>();
  struct stat there {};
  if (descriptor >= 0 && ::fstat(descriptor, &there) == 0 && S_ISREG(there.st_mode) &&
      there.st_uid == ::geteuid()) {
    return std::optional<int>(descriptor);
  }
  const int fault = descriptor < 0 ? errno : 0;
  if (descriptor >= 0) ::close(descriptor);
  return Error{
      fmt::format("cannot append to the key log {}: {}", path,
                  fault != 0 ? system_words(fault) : "it is no regular file of this user")};
}

}  // namespace

Result<std::unique_ptr<TlsKeyLog>> TlsKeyLog::create(const std::string& path, Existing existing,
                                                     Tell tell) {
  if (existing == Existing::kGoOn) {
    auto there = open_at_end(path);
    if (!there) return there.error();
    if (there.value()) {
      return std::unique_ptr<TlsKeyLog>(new TlsKeyLog(path, *there.value(), std::move(tell)));
    }
  }
  auto descriptor = create_new_file(path, "the key log", existing == Existing::kReplace);
  if (!descriptor) return descriptor.error();
  return std::unique_ptr<TlsKeyLog>(new TlsKeyLog(path, descriptor.value(), std::move(tell)));
}

TlsKeyLog::TlsKeyLog(std::string path, int descriptor, Tell tell)
    : path_(std::move(path)),
      tell_(std::move(tell)),
      file_(std::make_unique<BackgroundFile>(descriptor, BackgroundFile::Ownership::kOwned,
                                             BackgroundFile::kDefaultLimit, of_writing())) {}

/// Where a file tells of its trouble.
BackgroundFile::Tell TlsKeyLog::of_writing() const {
  return [told = tell_](int error) {
    if (!told) return;
    told(error == 0 ? "the key log is written again"
                    : fmt::format("the key log cannot be written: {}; it is tried again, and mail "
                                  "flows on",
                                  system_words(error)));
  };
}

TlsKeyLog::~TlsKeyLog() {
  renamed_.push_back(std::move(file_));
  for (const auto& file : renamed_) {
    file->close(BackgroundFile::kPatience);
    lost_ += file->status().lost_counts.events;
  }
  if (lost_ > 0 && tell_) {
    tell_(
        fmt::format("{} TLS secrets are missing in the key log: packets of their sessions cannot "
                    "be read with it",
                    lost_));
  }
}

void TlsKeyLog::reopen() {
  leave_written_files();
  // One that is not open yet will be found under its name.
  const int descriptor = file_->descriptor();
  if (descriptor < 0) return;
  switch (look_for_name(descriptor, path_)) {
    case FileName::kSame:
      return;
    case FileName::kTaken:
      if (tell_) {
        tell_(fmt::format(
            "the key log is not begun anew: {} is another file now, and is not overwritten; what "
            "was written before goes on",
            path_));
      }
      return;
    case FileName::kFree:
      break;
  }
  renamed_.push_back(std::move(file_));
  file_ = std::make_unique<BackgroundFile>([path = path_] { return begin_file_again(path, ""); },
                                           BackgroundFile::kDefaultLimit, of_writing());
  leave_written_files();
}

/// A file that waits for its disk is not waited for.
void TlsKeyLog::leave_written_files() {
  std::erase_if(renamed_, [this](const auto& file) {
    if (file->queued() != 0) return false;
    lost_ += file->status().lost_counts.events;
    return true;
  });
}

void TlsKeyLog::watch(SSL_CTX* context) {
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_set_keylog_callback(context, on_line);
}

void TlsKeyLog::on_line(const SSL* tls, const char* line) {
  auto& self = *static_cast<TlsKeyLog*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(tls)));
  self.write(std::string(line) + "\n");
}

void TlsKeyLog::write(std::string_view line) {
  char* const room = file_->reserve(line.size());
  if (room == nullptr) {
    ++lost_;
    return;
  }
  line.copy(room, line.size());
  file_->commit(line.size(), {1, 0});
  // Handed over at once: who watches the packets wants the secret by the time they are there.
  file_->flush();
}

}  // namespace smtpscope
