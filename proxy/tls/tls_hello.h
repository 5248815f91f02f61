#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace smtpscope {

/// What a ClientHello asks for (RFC 8446 4.1.2), as far as it is passed on and told.
struct TlsHello {
  std::string server_name;                 // SNI, "" if none; as much as a name can be long
  std::vector<std::uint16_t> versions;     // that this program knows, the highest first, each once
  std::vector<std::string> version_names;  // the same as words
  std::vector<std::uint8_t> alpn;          // as on the wire: lengths and names
  std::vector<std::string> alpn_names;     // as many as the parser keeps of a hello that flies by
  std::uint32_t ciphers = 0;
};

/// Reads the ClientHello that OpenSSL has; only inside its client_hello callback. What is malformed
/// is left out: OpenSSL will refuse it.
TlsHello read_hello(SSL* tls);

}  // namespace smtpscope
