#include "proxy/tls_key_log.h"

#include "capture/capture_file.h"

namespace smtpscope {

Result<std::unique_ptr<TlsKeyLog>> TlsKeyLog::create(const std::string& path, bool force) {
  auto descriptor = create_capture_file(path, force);
  if (!descriptor) return descriptor.error();
  return std::unique_ptr<TlsKeyLog>(new TlsKeyLog(descriptor.value()));
}

void TlsKeyLog::watch(SSL_CTX* context) {
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_set_keylog_callback(context, on_line);
}

void TlsKeyLog::on_line(const SSL* tls, const char* line) {
  auto& self = *static_cast<TlsKeyLog*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(tls)));
  if (!self.file_.append(std::string(line) + "\n")) return;
  // Handed over at once: who watches the packets wants the secret by the time they are there.
  self.file_.flush();
}

}  // namespace smtpscope
