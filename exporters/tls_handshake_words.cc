#include "exporters/tls_handshake_words.h"

#include <fmt/format.h>

#include <string_view>

#include "base/counted.h"
#include "exporters/time_words.h"
#include "timeline/tls_words.h"

namespace smtpscope {
namespace {

std::string_view whose(const TlsFacts& facts) {
  switch (facts.origin) {
    case TlsCertificateOrigin::kServer:
      return "certificate";
    case TlsCertificateOrigin::kMade:
      return "certificate made by smtpscope";
    case TlsCertificateOrigin::kMadeForRun:
      return "certificate made by smtpscope, signed by a CA made for this run";
    case TlsCertificateOrigin::kUser:
      return "certificate given with --cert";
  }
  return "certificate";
}

std::string verification_words(const TlsFacts& facts) {
  if (facts.verification == kNoNameVerified) {
    return ", certificate signed by a trusted CA, for whom was NOT verified: no name to expect";
  }
  if (facts.verification != kCertificateVerified) {
    return fmt::format(", certificate NOT verified: {}", facts.verification);
  }
  // Captures of before do not tell for whom.
  return facts.verified_name.empty()
             ? ", certificate verified"
             : fmt::format(", certificate verified for {}", facts.verified_name);
}

}  // namespace

std::string tls_words(const TlsHandshake& handshake) {
  const TlsFacts& facts = *handshake.facts;
  const std::string_view with = to_string(handshake.with);
  if (!facts.completed) {
    return fmt::format("TLS with the {} failed after {}: {}", with, short_duration(handshake.took),
                       facts.failure);
  }
  std::string words = fmt::format("{} with the {}, {}", facts.version, with, facts.cipher);
  if (!facts.server_name.empty()) words += fmt::format(", for {}", facts.server_name);
  if (!facts.alpn.empty()) words += fmt::format(", ALPN {}", facts.alpn);
  if (facts.resumed) words += ", resumed";
  if (handshake.with == Side::kServer && !facts.verification.empty()) {
    words += verification_words(facts);
  }
  words += fmt::format(", {}", short_duration(handshake.took));
  if (facts.waited > Duration::zero()) {
    words += fmt::format(" ({} of it for the server)", short_duration(facts.waited));
  }
  return words;
}

std::vector<std::string> tls_details(const TlsHandshake& handshake, bool all) {
  const TlsFacts& facts = *handshake.facts;
  std::vector<std::string> lines;
  if (!facts.certificates.empty()) {
    lines.push_back(
        fmt::format("{}: {}", whose(facts), certificate_text(facts.certificates.front())));
  }
  if (facts.client_certificate) {
    lines.push_back(
        fmt::format("client certificate: {}", certificate_text(*facts.client_certificate)));
  } else if (facts.client_certificate_asked) {
    lines.emplace_back("a client certificate was asked for, none was shown");
  }
  for (const std::string& difference : facts.differences) lines.push_back(difference);
  if (!all) return lines;
  for (std::size_t i = 1; i < facts.certificates.size(); ++i) {
    lines.push_back(fmt::format("signed by: {}", certificate_text(facts.certificates[i])));
  }
  for (const TlsCertificate& certificate : facts.certificates) {
    lines.push_back(fmt::format("SHA-256 of {}: {}", certificate.subject, certificate.fingerprint));
  }
  if (!facts.versions_offered.empty()) {
    lines.push_back(fmt::format("offered: {}, {}{}{}", fmt::join(facts.versions_offered, ", "),
                                counted(facts.ciphers_offered, "cipher suite"),
                                facts.alpn_offered.empty() ? "" : ", ALPN ",
                                fmt::join(facts.alpn_offered, ", ")));
  }
  return lines;
}

}  // namespace smtpscope
