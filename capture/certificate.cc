#include "capture/certificate.h"

#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <iterator>
#include <memory>

#include "base/ascii.h"

namespace smtpscope {
namespace {

constexpr std::size_t kMostText = 512;

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

/// UTF-8 without controls, which X.509 permits and nobody needs.
std::string name_text(const X509_NAME* name) {
  const std::unique_ptr<BIO, Freed<BIO_free_all>> out(BIO_new(BIO_s_mem()));
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
  const std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>> list(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  const int count = sk_GENERAL_NAME_num(list.get());  // -1 where there is none
  for (int i = 0; i < count && names.size() < TlsCertificate::kMostNames; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(list.get(), i);
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
  return names;
}

bool fits(std::string_view pattern, std::string_view host) {
  if (pattern.starts_with("*.")) {
    const std::size_t dot = host.find('.');
    if (dot == std::string_view::npos || dot == 0) return false;
    return equal_ignoring_case(pattern.substr(1), host.substr(dot));
  }
  return equal_ignoring_case(pattern, host);
}

/// The common name in "C=DE, CN=mx.example"; the whole where there is none.
std::string_view common_name(std::string_view subject) {
  constexpr std::string_view kMark = "CN=";
  const std::size_t at = subject.rfind(kMark);
  if (at == std::string_view::npos) return subject;
  subject.remove_prefix(at + kMark.size());
  return subject.substr(0, subject.find(", "));
}

}  // namespace

bool TlsCertificate::names_host(std::string_view host) const {
  if (names.size() >= kMostNames) return true;  // maybe one that was not kept
  if (names.empty()) return fits(common_name(subject), host);
  return std::ranges::any_of(names, [&](const std::string& name) { return fits(name, host); });
}

std::optional<TlsCertificate> read_certificate(std::span<const std::uint8_t> der) {
  const unsigned char* at = der.data();
  const std::unique_ptr<X509, Freed<X509_free>> certificate(
      d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  if (certificate == nullptr) return std::nullopt;
  TlsCertificate facts;
  facts.subject = name_text(X509_get_subject_name(certificate.get()));
  facts.issuer = name_text(X509_get_issuer_name(certificate.get()));
  facts.names = alternative_names(certificate.get());
  facts.not_before = moment_text(X509_get0_notBefore(certificate.get()));
  facts.not_after = moment_text(X509_get0_notAfter(certificate.get()));
  facts.key = key_text(X509_get0_pubkey(certificate.get()));
  facts.fingerprint = fingerprint_text(certificate.get());
  ERR_clear_error();
  return facts;
}

}  // namespace smtpscope
