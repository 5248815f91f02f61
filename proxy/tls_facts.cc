#include "proxy/tls_facts.h"

#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>
#include <iterator>
#include <string_view>

#include "proxy/tls_handles.h"

namespace smtpscope {
namespace {

/// Names of a certificate that are kept: what is beyond nobody reads.
constexpr int kMostNames = 64;
constexpr std::size_t kMostText = 512;

/// UTF-8 without controls, which X.509 permits and nobody needs.
std::string name_text(const X509_NAME* name) {
  const BioHandle out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0, (XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) | XN_FLAG_FN_SN);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  const std::string_view printed(data, static_cast<std::size_t>(std::max(size, 0L)));
  std::string text;
  // "CN = mx.example" reads better without the blanks.
  for (const char c : printed.substr(0, kMostText)) {
    if (c == ' ' && text.ends_with('=')) continue;
    if (c == '=' && text.ends_with(' ')) text.pop_back();
    text += c;
  }
  return text;
}

std::string moment_text(const ASN1_TIME* moment) {
  std::tm when{};
  if (moment == nullptr || ASN1_TIME_to_tm(moment, &when) != 1) return {};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", when.tm_year + 1900, when.tm_mon + 1,
                     when.tm_mday, when.tm_hour, when.tm_min, when.tm_sec);
}

std::string key_text(EVP_PKEY* key) {
  if (key == nullptr) return {};
  const int id = EVP_PKEY_get_base_id(key);
  if (id == EVP_PKEY_EC) {
    std::array<char, 64> group{};
    std::size_t length = 0;
    if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) == 1) {
      const std::string_view name(group.data(), length);
      return fmt::format("EC {}", name == "prime256v1" ? "P-256" : name);
    }
  }
  const char* kind = OBJ_nid2sn(id);
  const std::string_view name = kind == nullptr ? "unknown" : kind;
  if (id == EVP_PKEY_RSA) return fmt::format("RSA {}", EVP_PKEY_get_bits(key));
  return std::string(name);
}

std::string fingerprint_text(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &length) != 1) return {};
  std::string text;
  for (unsigned i = 0; i < length; ++i) {
    fmt::format_to(std::back_inserter(text), "{:02x}", digest[i]);
  }
  return text;
}

std::string octets_text(const ASN1_STRING* value) {
  const auto* octets = reinterpret_cast<const char*>(ASN1_STRING_get0_data(value));
  return {octets, std::min(static_cast<std::size_t>(ASN1_STRING_length(value)), kMostText)};
}

std::vector<std::string> alternative_names(const X509* certificate) {
  std::vector<std::string> names;
  auto* list = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < std::min(sk_GENERAL_NAME_num(list), kMostNames); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(list, i);
    if (name->type == GEN_DNS) {
      names.push_back(octets_text(name->d.dNSName));
    } else if (name->type == GEN_IPADD) {
      const std::string octets = octets_text(name->d.iPAddress);
      if (octets.size() == 4) {
        const auto at = [&](std::size_t n) { return static_cast<unsigned char>(octets[n]); };
        names.push_back(fmt::format("{}.{}.{}.{}", at(0), at(1), at(2), at(3)));
      } else {
        std::string text;
        for (std::size_t n = 0; n + 1 < octets.size(); n += 2) {
          const unsigned group = static_cast<unsigned char>(octets[n]) * 256U +
                                 static_cast<unsigned char>(octets[n + 1]);
          fmt::format_to(std::back_inserter(text), "{}{:x}", text.empty() ? "" : ":", group);
        }
        names.push_back(text);
      }
    }
  }
  GENERAL_NAMES_free(list);
  return names;
}

}  // namespace

TlsCertificate certificate_facts(const X509* certificate) {
  TlsCertificate facts;
  facts.subject = name_text(X509_get_subject_name(certificate));
  facts.issuer = name_text(X509_get_issuer_name(certificate));
  facts.names = alternative_names(certificate);
  facts.not_before = moment_text(X509_get0_notBefore(certificate));
  facts.not_after = moment_text(X509_get0_notAfter(certificate));
  facts.key = key_text(X509_get0_pubkey(certificate));
  facts.fingerprint = fingerprint_text(certificate);
  ERR_clear_error();
  return facts;
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
