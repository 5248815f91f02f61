#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parser/octet_cursor.h"

namespace smtpscope {

/// What a mail administrator asks of an X.509 certificate (RFC 5280). Texts are octets of the wire,
/// cut where they are long. What could not be read is empty or 0.
struct CertificateFacts {
  static constexpr std::size_t kKeptNames = 16;
  static constexpr std::size_t kKeptText = 255;

  std::string subject;                 // its common name, else its organization
  std::string issuer;                  // idem
  std::vector<std::string> dns_names;  // dNSNames of subjectAltName, the first kKeptNames of them
  std::size_t dns_name_count = 0;
  std::int64_t not_before = 0;  // seconds since 1970 UTC; 0: not known
  std::int64_t not_after = 0;
  std::string_view key;        // "RSA", "EC P-256", "Ed25519" …; "" for what is not known
  std::uint32_t key_bits = 0;  // RSA only
  bool self_issued = false;    // subject and issuer are the same name: nobody else vouches for it

  /// A mail client that looks for `host` would accept one of its names (RFC 6125 6.4.3: a wildcard
  /// stands for the first label alone). Without dNSNames the subject counts, as for most clients.
  bool names_host(std::string_view host) const;
};

/// Reads a certificate's DER encoding. Nothing when it is not one; else what could be read, for the
/// octets may be cut.
std::optional<CertificateFacts> read_certificate(Octets der);

/// "2026-01-31" of seconds since 1970 UTC.
std::string date_text(std::int64_t seconds);
/// Idem, "2026-01-31T12:00:00Z".
std::string instant_text(std::int64_t seconds);

}  // namespace smtpscope
