#include "proxy/tls/cert_mint.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "proxy/tls/cert_parts.h"
#include "proxy/tls/tls_facts.h"

namespace smtpscope {
namespace {

bool is_ip_address(const std::string& name) {
  std::array<unsigned char, 16> octets{};
  return ::inet_pton(AF_INET, name.c_str(), octets.data()) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), octets.data()) == 1;
}

/// In the notation of x509v3_config(5).
std::string alternative_names(const std::vector<std::string>& names) {
  std::string value;
  for (const std::string& name : names) {
    if (name.empty() || !is_plain_name(name)) continue;
    const bool address = is_ip_address(name);
    if (!address && name.find(':') != std::string::npos) continue;
    value += fmt::format("{}{}:{}", value.empty() ? "" : ",", address ? "IP" : "DNS", name);
  }
  return value;
}

}  // namespace

Result<std::unique_ptr<CertMint>> CertMint::make(const CertAuthority& authority) {
  KeyHandle key(EVP_EC_gen("P-256"));
  if (!key) return Error{fmt::format("cannot make a key for certificates: {}", tls_fault_words())};
  return std::unique_ptr<CertMint>(new CertMint(authority, std::move(key)));
}

X509* CertMint::certificate_for(const std::string& name, const X509* model) {
  std::string wanted = name;
  if (model != nullptr) wanted += "\n" + certificate_facts(model).fingerprint;
  if (const auto known = by_wanted_.find(wanted); known != by_wanted_.end()) {
    made_.splice(made_.begin(), made_, known->second);
    return made_.front().certificate.get();
  }
  CertificateHandle certificate = mint(name, model);
  ERR_clear_error();
  if (!certificate) return nullptr;
  ++minted_;
  made_.push_front({wanted, std::move(certificate)});
  by_wanted_.emplace(std::move(wanted), made_.begin());
  if (made_.size() > kKept) {
    by_wanted_.erase(made_.back().wanted);
    made_.pop_back();
  }
  return made_.front().certificate.get();
}

CertificateHandle CertMint::mint(const std::string& name, const X509* model) const {
  CertificateHandle made(X509_new());
  X509* to = made.get();
  X509* ca = authority_.certificate();
  std::vector<std::string> names;
  if (!name.empty()) names.push_back(name);
  constexpr long kDay = 24L * 60 * 60;
  bool good = to != nullptr && X509_set_version(to, X509_VERSION_3) == 1 && set_random_serial(to) &&
              X509_set_issuer_name(to, X509_get_subject_name(ca)) == 1 &&
              X509_set_pubkey(to, key_.get()) == 1;
  if (!good) return nullptr;
  if (model != nullptr) {
    for (std::string& each : certificate_facts(model).names) {
      if (std::ranges::find(names, each) == names.end()) names.push_back(std::move(each));
    }
    good = X509_set_subject_name(to, X509_get_subject_name(model)) == 1 &&
           X509_set1_notBefore(to, X509_get0_notBefore(model)) == 1 &&
           X509_set1_notAfter(to, X509_get0_notAfter(model)) == 1;
  } else {
    good = set_common_name(X509_get_subject_name(to), name.empty() ? "smtpscope" : name) &&
           X509_gmtime_adj(X509_getm_notBefore(to), -kDay) != nullptr &&
           X509_set1_notAfter(to, X509_get0_notAfter(ca)) == 1;
  }
  const std::string alternatives = alternative_names(names);
  good = good && add_extension(to, ca, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(to, ca, NID_key_usage, "critical,digitalSignature") &&
         add_extension(to, ca, NID_ext_key_usage, "serverAuth") &&
         add_extension(to, ca, NID_subject_key_identifier, "hash") &&
         add_extension(to, ca, NID_authority_key_identifier, "keyid") &&
         (alternatives.empty() || add_extension(to, ca, NID_subject_alt_name, alternatives)) &&
         X509_sign(to, authority_.key(), EVP_sha256()) != 0;
  return good ? std::move(made) : nullptr;
}

}  // namespace smtpscope
