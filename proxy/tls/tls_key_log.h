#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "capture/background_file.h"
#include "proxy/tls/tls_handles.h"

namespace smtpscope {

/// Writes the secrets of TLS sessions into a file in the NSS key log format, with which Wireshark
/// opens packets captured beside. The file has mode 0600 and is never overwritten without being
/// asked for; a thread of its own writes it. Used on the loop's thread, which it lets wait in the
/// destructor only.
class TlsKeyLog {
 public:
  /// Takes a sentence for the operator, when writing begins to fail, when it works again, and in
  /// the end of what is missing. Called on any thread; must not block. The log must not outlive it.
  using Tell = std::function<void(std::string_view)>;

  enum class Existing : std::uint8_t { kRefuse, kReplace, kGoOn };
  /// `existing`: what becomes of a file that is there.
  static Result<std::unique_ptr<TlsKeyLog>> create(const std::string& path, Existing existing,
                                                   Tell tell = {});
  ~TlsKeyLog();

  /// All sessions of the context are logged. The log must outlive it.
  void watch(SSL_CTX* context);

  /// What comes from now on goes to a new file, if the one that is written was renamed (logrotate).
  void reopen();

 private:
  TlsKeyLog(std::string path, int descriptor, Tell tell);
  BackgroundFile::Tell of_writing() const;
  void leave_written_files();
  static void on_line(const SSL* tls, const char* line);
  void write(std::string_view line);

  const std::string path_;
  const Tell tell_;
  std::unique_ptr<BackgroundFile> file_;
  std::vector<std::unique_ptr<BackgroundFile>> renamed_;  // and not yet written to their ends
  std::uint64_t lost_ = 0;                                // for which there was no room
};

}  // namespace smtpscope
