#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "proxy/tls/tls_handles.h"

namespace smtpscope {

// What certificates are put together from, and read from.

bool set_random_serial(X509* certificate);
/// Replaces the common name.
bool set_common_name(X509_NAME* name, std::string_view text);
/// `value` in the notation of x509v3_config(5). `issuer` is whoever signs.
bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value);
/// Letters, digits, '.', '-', '_', ':' and a leading '*' only, so that it can stand in such a
/// value.
bool is_plain_name(std::string_view name);

/// The key in a PEM text; `path` is for the Error.
Result<KeyHandle> parse_key(std::string_view pem, const std::string& path);
/// All certificates in a PEM text, one at least.
Result<std::vector<CertificateHandle>> parse_certificates(std::string_view pem,
                                                          const std::string& path);

}  // namespace smtpscope
