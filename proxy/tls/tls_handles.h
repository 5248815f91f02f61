#pragma once

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace smtpscope {

// OpenSSL's objects, owned.

template <auto Free>
struct TlsFree {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

using KeyHandle = std::unique_ptr<EVP_PKEY, TlsFree<EVP_PKEY_free>>;
using CertificateHandle = std::unique_ptr<X509, TlsFree<X509_free>>;
using TlsContextHandle = std::unique_ptr<SSL_CTX, TlsFree<SSL_CTX_free>>;
using TlsHandle = std::unique_ptr<SSL, TlsFree<SSL_free>>;
using BioHandle = std::unique_ptr<BIO, TlsFree<BIO_free_all>>;

/// What OpenSSL has to say about its last failure on this thread, in words; forgets it.
std::string tls_fault_words();

}  // namespace smtpscope
