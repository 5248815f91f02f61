#include "timeline/tls_words.h"

#include <fmt/format.h>

namespace smtpscope {

std::string versions_text(const ClientHello& hello) {
  if (hello.lowest == 0) return tls_version_text(hello.highest) + " at most";
  if (hello.lowest == hello.highest) return tls_version_text(hello.highest);
  return fmt::format("{} to {}", tls_version_text(hello.lowest), tls_version_text(hello.highest));
}

std::string names_text(const CertificateFacts& certificate) {
  constexpr std::size_t kTold = 3;
  if (certificate.dns_names.empty()) return certificate.subject;
  std::string text;
  for (std::size_t i = 0; i < certificate.dns_names.size() && i < kTold; ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", certificate.dns_names[i]);
  }
  if (certificate.dns_name_count > kTold) {
    text += fmt::format(" and {} more", certificate.dns_name_count - kTold);
  }
  return text;
}

std::string key_text(const CertificateFacts& certificate) {
  if (certificate.key_bits == 0) return std::string(certificate.key);
  return fmt::format("{} {}", certificate.key, certificate.key_bits);
}

std::string certificate_text(const CertificateFacts& certificate) {
  std::string text = fmt::format("\"{}\"", certificate.subject);
  if (!certificate.dns_names.empty()) text += fmt::format(" for {}", names_text(certificate));
  text += certificate.self_issued ? ", self-issued"
                                  : fmt::format(", issued by \"{}\"", certificate.issuer);
  if (certificate.not_after != 0) {
    text += fmt::format(", valid {} to {}", date_text(certificate.not_before),
                        date_text(certificate.not_after));
  }
  if (!certificate.key.empty()) text += fmt::format(", {}", key_text(certificate));
  return text;
}

}  // namespace smtpscope
