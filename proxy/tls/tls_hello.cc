#include "proxy/tls/tls_hello.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <functional>

#include "parser/octet_cursor.h"
#include "parser/tls_messages.h"

namespace smtpscope {
namespace {

/// Empty without the extension.
Octets extension(SSL* tls, unsigned type) {
  const unsigned char* data = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(tls, type, &data, &size) != 1) return {};
  return {data, size};
}

bool is_known(std::uint32_t version) {
  return version >= TLS1_VERSION && version <= TLS1_3_VERSION;
}

}  // namespace

TlsHello read_hello(SSL* tls) {
  TlsHello hello;
  // RFC 6066 3: a list of names, of which only host names (type 0) are defined.
  OctetCursor names(OctetCursor(extension(tls, TLSEXT_TYPE_server_name)).vector(2));
  while (!names.empty()) {
    const std::uint32_t type = names.number(1);
    const Octets name = names.vector(2);
    if (type == 0 && hello.server_name.empty()) {
      hello.server_name =
          string_from(name.first(std::min(name.size(), ClientHello::kKeptServerName)));
    }
  }
  // RFC 8446 4.2.1; a client without the extension offers all up to its legacy version.
  OctetCursor versions(OctetCursor(extension(tls, TLSEXT_TYPE_supported_versions)).vector(1));
  while (!versions.empty()) {
    const std::uint32_t version = versions.number(2);
    if (!versions.ok() || !is_known(version)) continue;
    hello.versions.push_back(static_cast<std::uint16_t>(version));
  }
  if (hello.versions.empty()) {
    const unsigned legacy = std::min<unsigned>(SSL_client_hello_get0_legacy_version(tls),
                                               static_cast<unsigned>(TLS1_2_VERSION));
    for (unsigned version = legacy; version >= TLS1_VERSION; --version) {
      hello.versions.push_back(static_cast<std::uint16_t>(version));
    }
  }
  std::ranges::sort(hello.versions, std::greater<>());
  // Not std::ranges::unique: Clang 14 cannot read what libstdc++ 12 gives back.
  const auto again = std::unique(hello.versions.begin(), hello.versions.end());
  hello.versions.erase(again, hello.versions.end());
  for (const std::uint16_t version : hello.versions) {
    hello.version_names.push_back(tls_version_text(version));
  }
  // RFC 7301 3.1.
  const Octets offered =
      OctetCursor(extension(tls, TLSEXT_TYPE_application_layer_protocol_negotiation)).vector(2);
  hello.alpn.assign(offered.begin(), offered.end());
  OctetCursor protocols(offered);
  while (!protocols.empty() && hello.alpn_names.size() < ClientHello::kKeptProtocols) {
    hello.alpn_names.push_back(string_from(protocols.vector(1)));
  }
  const unsigned char* ciphers = nullptr;
  hello.ciphers = static_cast<std::uint32_t>(SSL_client_hello_get0_ciphers(tls, &ciphers) / 2);
  return hello;
}

}  // namespace smtpscope
