#pragma once

#include <string>

#include "parser/tls_messages.h"

namespace smtpscope {

// TLS handshakes in words, for findings and exporters. Names in them are octets of the wire, which
// exporters escape.

/// "TLS 1.2 to TLS 1.3", "TLS 1.2 at most", "TLS 1.3".
std::string versions_text(const ClientHello& hello);

/// "mail.example, *.mx.example and 3 more": for whom a certificate is.
std::string names_text(const CertificateFacts& certificate);

/// "EC P-256", "RSA 2048"; "" for what is not known.
std::string key_text(const CertificateFacts& certificate);

/// '"mail.example" for mail.example, issued by "Example Root", valid 2026-01-01 to 2027-01-01,
/// EC P-256'.
std::string certificate_text(const CertificateFacts& certificate);

}  // namespace smtpscope
