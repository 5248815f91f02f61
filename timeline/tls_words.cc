#include "timeline/tls_words.h"

#include <fmt/format.h>

#include "base/octets.h"

namespace smtpscope {

std::string versions_text(const ClientHello& hello) {
  if (hello.lowest == 0) return tls_version_text(hello.highest) + " at most";
  if (hello.lowest == hello.highest) return tls_version_text(hello.highest);
  return fmt::format("{} to {}", tls_version_text(hello.lowest), tls_version_text(hello.highest));
}

std::string names_text(const TlsCertificate& certificate) {
  constexpr std::size_t kTold = 3;
  const std::vector<std::string>& names = certificate.names;
  if (names.empty()) return certificate.subject;
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kTold; ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", names[i]);
  }
  if (names.size() > kTold) text += fmt::format(" and {} more", names.size() - kTold);
  return text;
}

std::string certificate_text(const TlsCertificate& certificate) {
  std::string text = certificate.subject.empty() ? "(no subject)" : certificate.subject;
  if (!certificate.names.empty()) text += fmt::format(" for {}", names_text(certificate));
  text += certificate.self_issued() ? ", self-issued"
                                    : fmt::format(", issued by {}", certificate.issuer);
  if (!certificate.not_after.empty()) {
    text += fmt::format(", valid {} to {}", day_of(certificate.not_before),
                        day_of(certificate.not_after));
  }
  if (!certificate.key.empty()) text += fmt::format(", {}", certificate.key);
  return text;
}

std::string_view day_of(std::string_view moment) { return moment.substr(0, moment.find('T')); }

std::optional<TlsCertificate> own_certificate(const CertificateChain& chain) {
  if (chain.certificates.empty()) return std::nullopt;
  return read_certificate(octets_of(chain.certificates.front()));
}

}  // namespace smtpscope
