#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "capture/background_file.h"
#include "proxy/tls/tls_handles.h"

namespace smtpscope {

/// Writes the secrets of TLS sessions into a file in the NSS key log format, with which Wireshark
/// opens packets captured beside. The file has mode 0600 and is never overwritten without being
/// asked for; a thread of its own writes it.
class TlsKeyLog {
 public:
  /// Takes a sentence for the operator, when writing begins to fail, when it works again, and in
  /// the end of what is missing. Called on any thread; must not block. The log must not outlive it.
  using Tell = std::function<void(std::string_view)>;

  static Result<std::unique_ptr<TlsKeyLog>> create(const std::string& path, bool force,
                                                   Tell tell = {});
  ~TlsKeyLog();

  /// All sessions of the context are logged. The log must outlive it.
  void watch(SSL_CTX* context);

 private:
  TlsKeyLog(int descriptor, Tell tell);
  static void on_line(const SSL* tls, const char* line);
  void write(std::string_view line);

  Tell tell_;
  BackgroundFile file_;
  std::uint64_t lost_ = 0;  // for which there was no room
};

}  // namespace smtpscope
