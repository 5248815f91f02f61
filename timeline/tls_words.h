#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "capture/certificate.h"
#include "parser/tls_messages.h"

namespace smtpscope {

// TLS handshakes in words, for findings and exporters. Names in them are octets of the wire, which
// exporters escape.

/// "TLS 1.2 to TLS 1.3", "TLS 1.2 at most", "TLS 1.3".
std::string versions_text(const ClientHello& hello);

/// "mail.example, *.mx.example and 3 more": for whom a certificate is.
std::string names_text(const TlsCertificate& certificate);

/// "CN=mail.example for mail.example, issued by CN=Example Root, valid 2026-01-01 to 2027-01-01,
/// EC P-256".
std::string certificate_text(const TlsCertificate& certificate);

/// The day of a moment as certificates tell it: "2026-01-01" of "2026-01-01T00:00:00Z".
std::string_view day_of(std::string_view moment);

/// The first certificate of a side, as far as it can be read.
std::optional<TlsCertificate> own_certificate(const CertificateChain& chain);

}  // namespace smtpscope
