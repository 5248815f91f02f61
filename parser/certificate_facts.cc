#include "parser/certificate_facts.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "base/ascii.h"
#include "parser/der_reader.h"

namespace smtpscope {
namespace {

// Object identifiers, their content octets.
constexpr std::string_view kCommonName = "\x55\x04\x03";
constexpr std::string_view kOrganization = "\x55\x04\x0a";
constexpr std::string_view kSubjectAltName = "\x55\x1d\x11";
constexpr std::string_view kRsa = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
constexpr std::string_view kRsaPss = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";
constexpr std::string_view kEc = "\x2a\x86\x48\xce\x3d\x02\x01";
constexpr std::string_view kEd25519 = "\x2b\x65\x70";
constexpr std::string_view kEd448 = "\x2b\x65\x71";

struct Curve {
  std::string_view id;
  std::string_view key;
};
constexpr std::array<Curve, 3> kCurves = {{
    {"\x2a\x86\x48\xce\x3d\x03\x01\x07", "EC P-256"},
    {std::string_view("\x2b\x81\x04\x00\x22", 5), "EC P-384"},
    {std::string_view("\x2b\x81\x04\x00\x23", 5), "EC P-521"},
}};

constexpr std::uint8_t kVersionTag = 0xa0;     // [0] EXPLICIT
constexpr std::uint8_t kExtensionsTag = 0xa3;  // [3] EXPLICIT
constexpr std::uint8_t kDnsNameTag = 0x82;     // [2] IA5String (RFC 5280 4.2.1.6)

bool is(Octets id, std::string_view wanted) {
  return std::ranges::equal(id, wanted, {}, {},
                            [](char c) { return static_cast<std::uint8_t>(c); });
}

/// BMPString has two octets for each character; beyond Latin-1 there is no room here.
std::string string_of(const DerReader::Element& value) {
  std::string text;
  if (value.tag == DerReader::kBmpString) {
    for (std::size_t i = 0; i + 1 < value.content.size(); i += 2) {
      text += value.content[i] == 0 ? static_cast<char>(value.content[i + 1]) : '?';
    }
  } else {
    text = string_from(value.content);
  }
  if (text.size() > CertificateFacts::kKeptText) text.resize(CertificateFacts::kKeptText);
  return text;
}

/// Of a Name (RFC 5280 4.1.2.4) what people call it by.
std::string name_of(Octets name) {
  std::string common, organization;
  DerReader sets(name);
  while (const auto set = sets.next(DerReader::kSet)) {
    DerReader pairs(*set);
    while (const auto pair = pairs.next(DerReader::kSequence)) {
      DerReader parts(*pair);
      const auto id = parts.next(DerReader::kObjectId);
      const auto value = parts.next();
      if (!id || !value) continue;
      // The last common name is the most specific one.
      if (is(*id, kCommonName)) common = string_of(*value);
      if (is(*id, kOrganization)) organization = string_of(*value);
    }
  }
  return common.empty() ? organization : common;
}

/// RFC 5280 4.1.2.5: YYMMDDHHMMSSZ, or with four digits of the year.
std::int64_t seconds_of(const DerReader::Element& time) {
  const Octets text = time.content;
  const std::size_t year_digits = time.tag == DerReader::kGeneralizedTime ? 4 : 2;
  if (text.size() != year_digits + 11 || text.back() != 'Z') return 0;
  if (!std::all_of(text.begin(), text.end() - 1,
                   [](std::uint8_t c) { return c >= '0' && c <= '9'; }))
    return 0;
  std::size_t at = 0;
  const auto digits = [&](std::size_t count) {
    int value = 0;
    while (count-- > 0) value = value * 10 + (text[at++] - '0');
    return value;
  };
  int year = digits(year_digits);
  if (year_digits == 2) year += year < 50 ? 2000 : 1900;
  const int month = digits(2);
  const int day = digits(2);
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return 0;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const int hour = digits(2);
  const int minute = digits(2);
  return days * 86400 + hour * 3600 + minute * 60 + digits(2);
}

void read_validity(Octets validity, CertificateFacts& facts) {
  DerReader times(validity);
  if (const auto time = times.next()) facts.not_before = seconds_of(*time);
  if (const auto time = times.next()) facts.not_after = seconds_of(*time);
}

/// The modulus is the first INTEGER of an RSAPublicKey (RFC 8017 A.1.1) inside the BIT STRING.
std::uint32_t modulus_bits(Octets bit_string) {
  if (bit_string.empty()) return 0;
  DerReader outer(bit_string.subspan(1));
  const auto key = outer.next(DerReader::kSequence);
  if (!key) return 0;
  DerReader parts(*key);
  const auto modulus = parts.next(DerReader::kInteger);
  if (!modulus) return 0;
  Octets octets = *modulus;
  while (!octets.empty() && octets[0] == 0) octets = octets.subspan(1);
  if (octets.empty()) return 0;
  std::uint32_t bits = static_cast<std::uint32_t>(octets.size()) * 8;
  for (std::uint8_t mask = 0x80; (octets[0] & mask) == 0;
       mask = static_cast<std::uint8_t>(mask >> 1))
    --bits;
  return bits;
}

void read_key(Octets info, CertificateFacts& facts) {
  DerReader parts(info);
  const auto algorithm = parts.next(DerReader::kSequence);
  if (!algorithm) return;
  DerReader words(*algorithm);
  const auto id = words.next(DerReader::kObjectId);
  if (!id) return;
  if (is(*id, kRsa) || is(*id, kRsaPss)) {
    facts.key = "RSA";
    if (const auto bits = parts.next(DerReader::kBitString)) facts.key_bits = modulus_bits(*bits);
  } else if (is(*id, kEc)) {
    facts.key = "EC";
    const auto curve = words.next(DerReader::kObjectId);
    for (const Curve& each : kCurves) {
      if (curve && is(*curve, each.id)) facts.key = each.key;
    }
  } else if (is(*id, kEd25519)) {
    facts.key = "Ed25519";
  } else if (is(*id, kEd448)) {
    facts.key = "Ed448";
  }
}

void read_alternative_names(Octets value, CertificateFacts& facts) {
  DerReader outer(value);
  const auto list = outer.next(DerReader::kSequence);
  if (!list) return;
  DerReader names(*list);
  while (const auto name = names.next()) {
    if (name->tag != kDnsNameTag) continue;
    if (facts.dns_name_count++ < CertificateFacts::kKeptNames) {
      facts.dns_names.push_back(string_of(*name));
    }
  }
}

void read_extensions(Octets explicit_list, CertificateFacts& facts) {
  DerReader outer(explicit_list);
  const auto list = outer.next(DerReader::kSequence);
  if (!list) return;
  DerReader extensions(*list);
  while (const auto extension = extensions.next(DerReader::kSequence)) {
    DerReader parts(*extension);
    const auto id = parts.next(DerReader::kObjectId);
    if (!id || !is(*id, kSubjectAltName)) continue;
    parts.next(DerReader::kBoolean);  // critical
    if (const auto value = parts.next(DerReader::kOctetString))
      read_alternative_names(*value, facts);
  }
}

bool fits(std::string_view pattern, std::string_view host) {
  if (pattern.starts_with("*.")) {
    const std::size_t dot = host.find('.');
    if (dot == std::string_view::npos || dot == 0) return false;
    return equal_ignoring_case(pattern.substr(1), host.substr(dot));
  }
  return equal_ignoring_case(pattern, host);
}

}  // namespace

bool CertificateFacts::names_host(std::string_view host) const {
  if (dns_name_count > dns_names.size()) return true;  // maybe one that was not kept
  if (dns_names.empty()) return fits(subject, host);
  return std::ranges::any_of(dns_names, [&](const std::string& name) { return fits(name, host); });
}

std::optional<CertificateFacts> read_certificate(Octets der) {
  // Certificate, TBSCertificate (RFC 5280 4.1).
  DerReader outer(der);
  const auto certificate = outer.next(DerReader::kSequence);
  if (!certificate) return std::nullopt;
  DerReader inner(*certificate);
  const auto body = inner.next(DerReader::kSequence);
  if (!body) return std::nullopt;

  CertificateFacts facts;
  DerReader fields(*body);
  fields.next(kVersionTag);
  if (!fields.next(DerReader::kInteger)) return std::nullopt;   // serialNumber
  if (!fields.next(DerReader::kSequence)) return std::nullopt;  // signature
  const auto issuer = fields.next(DerReader::kSequence);
  const auto validity = fields.next(DerReader::kSequence);
  const auto subject = fields.next(DerReader::kSequence);
  const auto key = fields.next(DerReader::kSequence);
  if (!issuer || !validity || !subject || !key) return std::nullopt;
  facts.issuer = name_of(*issuer);
  facts.subject = name_of(*subject);
  facts.self_issued = std::ranges::equal(*issuer, *subject);
  read_validity(*validity, facts);
  read_key(*key, facts);
  while (const auto field = fields.next()) {
    if (field->tag == kExtensionsTag) read_extensions(field->content, facts);
  }
  return facts;
}

std::string date_text(std::int64_t seconds) {
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(
      std::chrono::sys_seconds(std::chrono::seconds(seconds)))};
  char text[16];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text;
}

std::string instant_text(std::int64_t seconds) {
  const std::int64_t of_day = ((seconds % 86400) + 86400) % 86400;
  char text[16];
  std::snprintf(text, sizeof text, "T%02u:%02u:%02uZ", static_cast<unsigned>(of_day / 3600),
                static_cast<unsigned>(of_day / 60 % 60), static_cast<unsigned>(of_day % 60));
  return date_text(seconds) + text;
}

}  // namespace smtpscope
