#include "proxy/tls_hello.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <functional>
#include <span>

#include "parser/tls_messages.h"

namespace smtpscope {
namespace {

using HelloOctets = std::span<const std::uint8_t>;

/// A number of `size` octets off the front; 0 where there are fewer, and nothing is left then.
std::size_t take_number(HelloOctets& octets, std::size_t size) {
  if (octets.size() < size) {
    octets = {};
    return 0;
  }
  std::size_t number = 0;
  for (std::size_t i = 0; i < size; ++i) number = number << 8 | octets[i];
  octets = octets.subspan(size);
  return number;
}

/// What a length of `size` octets announces, off the front.
HelloOctets take_block(HelloOctets& octets, std::size_t size) {
  const std::size_t length = std::min(take_number(octets, size), octets.size());
  const HelloOctets block = octets.first(length);
  octets = octets.subspan(length);
  return block;
}

HelloOctets extension(SSL* tls, unsigned type) {
  const unsigned char* data = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(tls, type, &data, &size) != 1) return {};
  return {data, size};
}

bool is_known(std::size_t version) { return version >= TLS1_VERSION && version <= TLS1_3_VERSION; }

std::string text_of_octets(HelloOctets octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

}  // namespace

TlsHello read_hello(SSL* tls) {
  TlsHello hello;
  // RFC 6066 3: a list of names, of which only host names (type 0) are defined.
  HelloOctets names = extension(tls, TLSEXT_TYPE_server_name);
  HelloOctets list = take_block(names, 2);
  while (!list.empty()) {
    const std::size_t type = take_number(list, 1);
    const HelloOctets name = take_block(list, 2);
    if (type == 0 && hello.server_name.empty()) hello.server_name = text_of_octets(name);
  }
  // RFC 8446 4.2.1; a client without the extension offers all up to its legacy version.
  HelloOctets supported = extension(tls, TLSEXT_TYPE_supported_versions);
  HelloOctets versions = take_block(supported, 1);
  while (versions.size() >= 2) {
    const std::size_t version = take_number(versions, 2);
    if (is_known(version)) hello.versions.push_back(static_cast<std::uint16_t>(version));
  }
  if (hello.versions.empty()) {
    const unsigned legacy = std::min<unsigned>(SSL_client_hello_get0_legacy_version(tls),
                                               static_cast<unsigned>(TLS1_2_VERSION));
    for (unsigned version = legacy; version >= TLS1_VERSION; --version) {
      hello.versions.push_back(static_cast<std::uint16_t>(version));
    }
  }
  std::ranges::sort(hello.versions, std::greater<>());
  for (const std::uint16_t version : hello.versions) {
    hello.version_names.push_back(tls_version_text(version));
  }
  // RFC 7301 3.1.
  HelloOctets protocols = extension(tls, TLSEXT_TYPE_application_layer_protocol_negotiation);
  HelloOctets alpn = take_block(protocols, 2);
  hello.alpn.assign(alpn.begin(), alpn.end());
  while (!alpn.empty()) hello.alpn_names.push_back(text_of_octets(take_block(alpn, 1)));
  const unsigned char* ciphers = nullptr;
  hello.ciphers = static_cast<std::uint32_t>(SSL_client_hello_get0_ciphers(tls, &ciphers) / 2);
  return hello;
}

}  // namespace smtpscope
