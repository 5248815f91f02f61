#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace smtpscope {

/// What a certificate says (X.509, RFC 5280). Plain text, no key; cut where it is long, and empty
/// where it cannot be read.
struct TlsCertificate {
  static constexpr std::size_t kMostNames = 64;  // what is beyond nobody reads

  std::string subject;             // "CN=mx.example"
  std::string issuer;              // the same, of who signed it
  std::vector<std::string> names;  // subjectAltName: DNS names and addresses, the first kMostNames
  std::string not_before;          // "2026-11-25T00:00:00Z"
  std::string not_after;
  std::string key;          // "EC P-256", "RSA 2048"
  std::string fingerprint;  // SHA-256 of the certificate, in hexadecimal

  /// Nobody else vouches for it.
  bool self_issued() const { return !subject.empty() && subject == issuer; }
  /// A mail client that looks for `host` would accept one of its names (RFC 6125 6.4.3: a wildcard
  /// stands for the first label alone). Without names the subject counts, as for many clients.
  bool names_host(std::string_view host) const;
};

/// Reads a certificate's DER encoding. Nothing when it is none.
std::optional<TlsCertificate> read_certificate(std::span<const std::uint8_t> der);

}  // namespace smtpscope
