#include "proxy/tls/tls_facts.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <memory>
#include <string_view>

#include "proxy/tls/tls_handles.h"

namespace smtpscope {
namespace {

void free_octets(unsigned char* octets) { OPENSSL_free(octets); }

}  // namespace

TlsCertificate certificate_facts(const X509* certificate) {
  unsigned char* octets = nullptr;
  const int size = i2d_X509(certificate, &octets);
  const std::unique_ptr<unsigned char, TlsFree<&free_octets>> der(octets);
  if (size <= 0) return {};
  return read_certificate({octets, static_cast<std::size_t>(size)}).value_or(TlsCertificate());
}

std::string tls_fault_words() {
  const unsigned long fault = ERR_get_error();
  ERR_clear_error();
  if (fault == 0) return "no reason known";
  const char* reason = ERR_reason_error_string(fault);
  return reason != nullptr ? reason : fmt::format("OpenSSL error {:x}", fault);
}

std::vector<std::string> tls_differences(const TlsFacts& client, const TlsFacts& server) {
  std::vector<std::string> differences;
  const auto compare = [&](std::string_view what, const std::string& here,
                           const std::string& there) {
    if (here == there) return;
    differences.push_back(fmt::format("{} differs: {} here, {} with the server", what,
                                      here.empty() ? "none" : here,
                                      there.empty() ? "none" : there));
  };
  compare("version", client.version, server.version);
  compare("cipher suite", client.cipher, server.cipher);
  compare("ALPN", client.alpn, server.alpn);
  if (client.resumed != server.resumed) {
    differences.emplace_back("resumed here; with the server it is a session of its own");
  }
  if (client.client_certificate && !server.client_certificate) {
    differences.emplace_back(
        "the client's certificate cannot be passed on: the server was shown none "
        "(--upstream-cert)");
  }
  return differences;
}

}  // namespace smtpscope
