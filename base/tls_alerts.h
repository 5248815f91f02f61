#pragma once

#include <cstdint>
#include <string_view>

namespace smtpscope {

/// A TLS alert (RFC 8446 6, AlertDescription; those with "reserved" are of older versions).
struct TlsAlert {
  std::uint8_t number;
  std::string_view name;
  std::string_view meaning;  // a clause; "" where the name says it
};

/// The side that sends one of these distrusts the certificate of the other.
inline constexpr std::string_view kDistrust = "it does not trust the other side's certificate";
inline constexpr std::string_view kNoCommonCipher = "both sides have no cipher suite in common";

inline constexpr TlsAlert kTlsAlerts[] = {
    {0, "close_notify", "it ends the connection, without saying why"},
    {10, "unexpected_message", "it got a message that does not belong there"},
    {20, "bad_record_mac", "what it got was changed in transit, or the keys differ"},
    {21, "decryption_failed", ""},
    {22, "record_overflow", ""},
    {30, "decompression_failure", ""},
    {40, "handshake_failure", kNoCommonCipher},
    {41, "no_certificate", ""},
    {42, "bad_certificate", kDistrust},
    {43, "unsupported_certificate", kDistrust},
    {44, "certificate_revoked", "the other side's certificate is revoked"},
    {45, "certificate_expired", "the other side's certificate has expired, or a clock is wrong"},
    {46, "certificate_unknown", kDistrust},
    {47, "illegal_parameter", ""},
    {48, "unknown_ca", "it does not know who signed the other side's certificate"},
    {49, "access_denied", "the other side is known and not allowed"},
    {50, "decode_error", "it could not read a message"},
    {51, "decrypt_error", "a signature or key did not fit"},
    {60, "export_restriction", ""},
    {70, "protocol_version", "both sides have no TLS version in common"},
    {71, "insufficient_security", "the other side's ciphers are too weak for it"},
    {80, "internal_error", "it has a fault of its own"},
    {86, "inappropriate_fallback", "the other side tried an older version without need"},
    {90, "user_canceled", "it was stopped by its user"},
    {100, "no_renegotiation", ""},
    {109, "missing_extension", ""},
    {110, "unsupported_extension", ""},
    {111, "certificate_unobtainable", ""},
    {112, "unrecognized_name", "it has no certificate for the name that was asked for"},
    {113, "bad_certificate_status_response", kDistrust},
    {114, "bad_certificate_hash_value", ""},
    {115, "unknown_psk_identity", ""},
    {116, "certificate_required", "it demands a certificate of the client"},
    {120, "no_application_protocol", "both sides have no application protocol in common"},
};

/// nullptr when no RFC has a name for it.
inline const TlsAlert* find_tls_alert(std::uint8_t number) {
  for (const TlsAlert& alert : kTlsAlerts) {
    if (alert.number == number) return &alert;
  }
  return nullptr;
}

}  // namespace smtpscope
