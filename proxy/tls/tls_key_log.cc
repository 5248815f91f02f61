#include "proxy/tls/tls_key_log.h"

#include <fmt/format.h>

#include <utility>

#include "base/system_error.h"
#include "capture/new_file.h"

namespace smtpscope {

Result<std::unique_ptr<TlsKeyLog>> TlsKeyLog::create(const std::string& path, bool force,
                                                     Tell tell) {
  auto descriptor = create_new_file(path, "the key log", force);
  if (!descriptor) return descriptor.error();
  return std::unique_ptr<TlsKeyLog>(new TlsKeyLog(descriptor.value(), std::move(tell)));
}

TlsKeyLog::TlsKeyLog(int descriptor, Tell tell)
    : tell_(std::move(tell)),
      file_(descriptor, BackgroundFile::Ownership::kOwned, BackgroundFile::kDefaultLimit,
            [told = tell_](int error) {
              if (!told) return;
              told(error == 0 ? "the key log is written again"
                              : fmt::format("the key log cannot be written: {}; it is tried again, "
                                            "and mail flows on",
                                            system_words(error)));
            }) {}

TlsKeyLog::~TlsKeyLog() {
  file_.close(BackgroundFile::kPatience);
  const std::uint64_t lost = lost_ + file_.status().lost_counts.events;
  if (lost > 0 && tell_) {
    tell_(
        fmt::format("{} TLS secrets are missing in the key log: packets of their sessions cannot "
                    "be read with it",
                    lost));
  }
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
  char* const room = file_.reserve(line.size());
  if (room == nullptr) {
    ++lost_;
    return;
  }
  line.copy(room, line.size());
  file_.commit(line.size(), {1, 0});
  // Handed over at once: who watches the packets wants the secret by the time they are there.
  file_.flush();
}

}  // namespace smtpscope
