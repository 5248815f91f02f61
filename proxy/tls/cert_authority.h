#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "capture/tls_facts.h"
#include "proxy/tls/tls_handles.h"

namespace smtpscope {

/// The CA that signs the certificates which smtpscope shows to clients. Its key lies in a folder
/// that only its owner may enter, or nowhere: a CA made for one run lives in memory alone.
/// Immutable. Not thread-safe.
class CertAuthority {
 public:
  struct Wishes {
    int days = 30;                            // that it is valid
    std::vector<std::string> permitted = {};  // DNS domains that it may sign for; empty: any
  };

  /// A new one: EC P-256, in memory.
  static Result<std::unique_ptr<CertAuthority>> make(const Wishes& wishes);
  /// That of a folder. An Error also when it has expired.
  static Result<std::unique_ptr<CertAuthority>> load(const std::string& folder);
  /// Whether a CA lies there.
  static bool exists(const std::string& folder);
  /// $XDG_CONFIG_HOME/smtpscope/ca, or ~/.config/smtpscope/ca.
  static Result<std::string> default_folder();

  /// Writes ca.key (mode 0600) and ca.pem into the folder, which is created with mode 0700; one
  /// that exists must be so already. An existing CA is replaced with `force` only.
  Result<Done> save(const std::string& folder, bool force) const;

  /// For clients: the certificate alone.
  std::string certificate_pem() const;
  TlsCertificate facts() const;
  std::vector<std::string> permitted() const;

  X509* certificate() const { return certificate_.get(); }
  EVP_PKEY* key() const { return key_.get(); }

 private:
  CertAuthority(CertificateHandle certificate, KeyHandle key)
      : certificate_(std::move(certificate)), key_(std::move(key)) {}

  CertificateHandle certificate_;
  KeyHandle key_;
};

}  // namespace smtpscope
