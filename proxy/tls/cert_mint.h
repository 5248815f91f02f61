#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/result.h"
#include "proxy/tls/cert_authority.h"
#include "proxy/tls/tls_handles.h"

namespace smtpscope {

/// Makes the certificates that clients are shown: for the name that a client asks for, and with the
/// names and validity of the real server's certificate where that is known, so that a client that
/// would refuse the real one refuses ours. One key for all of a run. Keeps the last kKept of them.
/// Not thread-safe.
class CertMint {
 public:
  static constexpr std::size_t kKept = 256;

  /// `authority` must outlive it.
  static Result<std::unique_ptr<CertMint>> make(const CertAuthority& authority);

  /// `name`: DNS name or IP address; `model`: the server's certificate, or nullptr. nullptr when
  /// OpenSSL refuses, which only a lack of memory brings about. Valid until the mint goes.
  X509* certificate_for(const std::string& name, const X509* model);

  EVP_PKEY* key() const { return key_.get(); }
  X509* authority() const { return authority_.certificate(); }
  std::size_t minted() const { return minted_; }

 private:
  struct Made {
    std::string wanted;
    CertificateHandle certificate;
  };

  CertMint(const CertAuthority& authority, KeyHandle key)
      : authority_(authority), key_(std::move(key)) {}
  CertificateHandle mint(const std::string& name, const X509* model) const;

  const CertAuthority& authority_;
  KeyHandle key_;
  std::list<Made> made_;  // the one used last first
  std::unordered_map<std::string, std::list<Made>::iterator> by_wanted_;
  std::size_t minted_ = 0;
};

}  // namespace smtpscope
