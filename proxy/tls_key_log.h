#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "capture/background_file.h"
#include "proxy/tls_handles.h"

namespace smtpscope {

/// Writes the secrets of TLS sessions into a file in the NSS key log format, with which Wireshark
/// opens packets captured beside. The file has mode 0600 and is never overwritten without being
/// asked for; a thread of its own writes it.
class TlsKeyLog {
 public:
  static Result<std::unique_ptr<TlsKeyLog>> create(const std::string& path, bool force);

  /// All sessions of the context are logged. The log must outlive it.
  void watch(SSL_CTX* context);

 private:
  explicit TlsKeyLog(int descriptor) : file_(descriptor) {}
  static void on_line(const SSL* tls, const char* line);

  BackgroundFile file_;
};

}  // namespace smtpscope
