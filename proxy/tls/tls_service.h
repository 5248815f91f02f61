#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "capture/tls_facts.h"
#include "proxy/tls/cert_authority.h"
#include "proxy/tls/cert_mint.h"
#include "proxy/tls/tls_channel.h"
#include "proxy/tls/tls_handles.h"
#include "proxy/tls/tls_key_log.h"
#include "proxy/tls/tls_options.h"

namespace smtpscope {

/// What the sessions of a run share for TLS: contexts, certificates, and the buffers that octets
/// pass through. Used on the loop's thread.
class TlsService {
 public:
  /// Plain octets per step: several records, so that what came in one read is one read again.
  static constexpr std::size_t kPlainOctets = std::size_t{256} * 1024;

  /// Opens all files named in the options. `upstream_host`: whom the server's certificate must be
  /// for, where a session does not say otherwise; "" where the server has no name (a Unix socket).
  /// `tell`: of trouble with the key log.
  static Result<std::unique_ptr<TlsService>> make(const TlsOptions& options,
                                                  std::string upstream_host,
                                                  TlsKeyLog::Tell tell = {});

  /// Reads all certificates, keys and trusted CAs again, for handshakes from now on. On an Error
  /// what was read before stays in use. A key log that was renamed is begun anew, whatever comes of
  /// the certificates.
  Result<Done> reload();

  const TlsOptions& options() const { return options_; }
  /// What the operator should know, a sentence each.
  const std::vector<std::string>& notices() const { return notices_; }

  /// An end towards a client.
  std::unique_ptr<TlsChannel> to_client();
  /// An end towards the server `host`, that asks for what the client asked for; nullptr: for what
  /// is usual.
  std::unique_ptr<TlsChannel> to_server(const TlsHello* client, const std::string& host);
  std::unique_ptr<TlsChannel> to_server(const TlsHello* client) {
    return to_server(client, upstream_host_);
  }
  /// How to answer a client behind which stands that server (nullptr: one that speaks no TLS).
  TlsAnswer answer(const TlsHello& hello, const TlsChannel* server, const std::string& host);
  TlsAnswer answer(const TlsHello& hello, const TlsChannel* server) {
    return answer(hello, server, upstream_host_);
  }
  TlsCertificateOrigin origin() const { return origin_; }

  std::span<std::uint8_t> plain_buffer() { return plain_; }

 private:
  TlsService(const TlsOptions& options, std::string upstream_host);
  Result<Done> open(TlsKeyLog* key_log);
  Result<Done> open_certificates();
  Result<Done> open_own_certificate();
  Result<Done> open_trust();

  TlsOptions options_;
  std::string upstream_host_;
  std::vector<std::string> notices_;
  TlsKeyLog::Tell tell_;
  std::unique_ptr<TlsKeyLog> key_log_;
  TlsContextHandle client_side_;  // for channels to clients
  TlsContextHandle server_side_;
  TlsCertificateOrigin origin_ = TlsCertificateOrigin::kMade;
  std::unique_ptr<CertAuthority> authority_;
  std::unique_ptr<CertMint> mint_;
  std::vector<CertificateHandle> own_;  // given by the user, its chain behind it
  std::vector<X509*> chain_;            // what is shown behind the server's certificate
  KeyHandle own_key_;
  std::vector<std::uint8_t> outgoing_;
  std::array<std::uint8_t, kPlainOctets> plain_{};
};

}  // namespace smtpscope
