#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <vector>

#include "proxy/tls/tls_channel.h"

namespace smtpscope::test {

/// A TLS server of OpenSSL's own, with a certificate that it made for itself. It takes whatever
/// OpenSSL can, unless told otherwise.
class PlainTlsServer {
 public:
  explicit PlainTlsServer(int version) : context_(SSL_CTX_new(TLS_server_method())) {
    // Whatever the host's openssl.cnf forbids.
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_cipher_list(context_.get(), "DEFAULT:@SECLEVEL=0");
    const std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>> key(EVP_EC_gen("P-256"));
    const std::unique_ptr<X509, Freed<X509_free>> certificate(X509_new());
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    SSL_CTX_use_certificate(context_.get(), certificate.get());
    SSL_CTX_use_PrivateKey(context_.get(), key.get());
    SSL_CTX_set_max_proto_version(context_.get(), version);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(ssl_.get());
    SSL_set_app_data(ssl_.get(), this);
    SSL_set_info_callback(ssl_.get(), [](const SSL* ssl, int where, int what) {
      if ((where & SSL_CB_READ_ALERT) != SSL_CB_READ_ALERT) return;
      static_cast<PlainTlsServer*>(SSL_get_app_data(ssl))->alert = what & 0xFF;
    });
  }

  /// It signs its part of the handshake in these ways only ("ECDSA+SHA1").
  bool sign_with(const char* algorithms) {
    return SSL_set1_sigalgs_list(ssl_.get(), algorithms) == 1;
  }

  /// Everything that either has to say, until neither has.
  void talk_with(TlsChannel& client) {
    bool moved = true;
    while (moved) {
      moved = !client.outgoing().empty();
      BIO_write(SSL_get_rbio(ssl_.get()), client.outgoing().data(),
                static_cast<int>(client.outgoing().size()));
      client.outgoing_taken();
      char octets[4096];
      SSL_read(ssl_.get(), octets, sizeof octets);  // takes handshakes and alerts along
      std::vector<std::uint8_t> said(BIO_ctrl_pending(SSL_get_wbio(ssl_.get())));
      BIO_read(SSL_get_wbio(ssl_.get()), said.data(), static_cast<int>(said.size()));
      moved = moved || !said.empty();
      client.receive(said);
      client.read(buffer_);
    }
  }
  void renegotiate() {
    SSL_renegotiate(ssl_.get());
    SSL_do_handshake(ssl_.get());
  }
  bool shaken() const { return SSL_is_init_finished(ssl_.get()) == 1; }

  int alert = 0;  // that the client sent last

 private:
  template <auto Free>
  struct Freed {
    template <typename T>
    void operator()(T* object) const {
      Free(object);
    }
  };

  std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>> context_;
  std::unique_ptr<SSL, Freed<SSL_free>> ssl_;
  std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(4096);
};

}  // namespace smtpscope::test
