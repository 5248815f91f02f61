#include "proxy/tls/cert_parts.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace smtpscope {

bool set_random_serial(X509* certificate) {
  // RFC 5280 4.1.2.2: positive, at most 20 octets.
  std::array<unsigned char, 16> octets{};
  if (RAND_bytes(octets.data(), octets.size()) != 1) return false;
  octets[0] = static_cast<unsigned char>((octets[0] & 0x7f) | 0x40);
  BIGNUM* number = BN_bin2bn(octets.data(), octets.size(), nullptr);
  const bool set = number != nullptr &&
                   BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  return set;
}

bool set_common_name(X509_NAME* name, std::string_view text) {
  while (X509_NAME_entry_count(name) > 0) X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, 0));
  // RFC 5280 A.1: ub-common-name. What is longer stands among the alternative names.
  text = text.substr(0, 64);
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (extension == nullptr) return false;
  const bool added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool is_plain_name(std::string_view name) {
  if (name.starts_with('*')) name.remove_prefix(1);
  return std::ranges::all_of(name, [](char c) {
    return is_alphanumeric(c) || c == '.' || c == '-' || c == '_' || c == ':';
  });
}

Result<KeyHandle> parse_key(std::string_view pem, const std::string& path) {
  const BioHandle in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // A passphrase is not asked for: there may be nobody to answer.
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  KeyHandle key(PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, nullptr));
  if (!key) {
    return Error{fmt::format("{} holds no private key that can be read without a passphrase ({})",
                             path, tls_fault_words())};
  }
  return key;
}

Result<std::vector<CertificateHandle>> parse_certificates(std::string_view pem,
                                                          const std::string& path) {
  const BioHandle in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<CertificateHandle> certificates;
  while (X509* one = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(one);
  }
  ERR_clear_error();
  if (certificates.empty()) return Error{fmt::format("{} holds no certificate in PEM", path)};
  return certificates;
}

}  // namespace smtpscope
