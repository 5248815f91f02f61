#pragma once

#include <openssl/types.h>

#include <string>
#include <vector>

#include "capture/tls_facts.h"

namespace smtpscope {

/// What a certificate says. Never fails: what cannot be read is left empty.
TlsCertificate certificate_facts(const X509* certificate);

/// In what the handshake with the client is not as the one with the server, in words.
std::vector<std::string> tls_differences(const TlsFacts& client, const TlsFacts& server);

}  // namespace smtpscope
