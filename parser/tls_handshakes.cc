#include "parser/tls_handshakes.h"

#include <algorithm>

namespace smtpscope {
namespace {

// RFC 8446 4, and RFC 5246 7.4 for those before TLS 1.3.
constexpr std::uint8_t kClientHello = 1, kServerHello = 2, kCertificate = 11,
                       kCertificateRequest = 13;

// ExtensionType (RFC 8446 4.2, RFC 5077 3.2).
constexpr std::uint32_t kServerName = 0, kAlpn = 16, kSessionTicket = 35, kPreSharedKey = 41,
                        kEarlyData = 42, kSupportedVersions = 43;

constexpr std::size_t kRandom = 32;
/// The random of a HelloRetryRequest (RFC 8446 4.1.3).
constexpr std::array<std::uint8_t, kRandom> kRetryRandom = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

bool tells_something(std::uint8_t type) {
  return type == kClientHello || type == kServerHello || type == kCertificate;
}

/// RFC 8701 2: 0x0a0a, 0x1a1a … 0xfafa.
bool is_grease(std::uint32_t value) {
  return (value & 0x0f0f) == 0x0a0a && (value >> 8) == (value & 0xff);
}
/// TLS_EMPTY_RENEGOTIATION_INFO_SCSV and TLS_FALLBACK_SCSV (RFC 5746 3.3, RFC 7507 2).
bool only_signals(std::uint32_t suite) { return suite == 0x00ff || suite == 0x5600; }

void read_server_name(Octets data, ClientHello& hello) {
  OctetCursor list(OctetCursor(data).vector(2));
  constexpr std::uint32_t kHostName = 0;
  while (!list.empty() && list.ok()) {
    const std::uint32_t type = list.number(1);
    const Octets name = list.vector(2);
    if (type == kHostName && hello.server_name.empty()) {
      hello.server_name =
          string_from(name.first(std::min(name.size(), ClientHello::kKeptServerName)));
    }
  }
}

std::vector<std::string> protocols_of(Octets data) {
  std::vector<std::string> protocols;
  OctetCursor list(OctetCursor(data).vector(2));
  while (!list.empty() && list.ok() && protocols.size() < ClientHello::kKeptProtocols) {
    protocols.push_back(string_from(list.vector(1)));
  }
  return protocols;
}

void read_versions(Octets data, ClientHello& hello) {
  OctetCursor list(OctetCursor(data).vector(1));
  std::uint16_t lowest = 0, highest = 0;
  while (!list.empty()) {
    const std::uint16_t version = static_cast<std::uint16_t>(list.number(2));
    if (!list.ok() || is_grease(version)) continue;
    if (lowest == 0 || version < lowest) lowest = version;
    highest = std::max(highest, version);
  }
  if (highest == 0) return;
  hello.lowest = lowest;
  hello.highest = highest;
}

CertificateChain read_chain(Octets octets, bool cut) {
  CertificateChain chain;
  OctetCursor message(octets);
  OctetCursor list(message.vector(3));
  while (!list.empty() && list.ok()) {
    const Octets der = list.vector(3);
    if (!list.ok()) break;
    ++chain.count;
    if (chain.certificates.size() < CertificateChain::kKept) {
      chain.certificates.push_back(string_from(der));
    }
  }
  chain.cut = cut || !message.ok() || !list.ok();
  return chain;
}

}  // namespace

void TlsHandshakes::take(Side side, Octets fragment) {
  Reader& r = reader(side);
  if (!r.record_open) {
    r.record_open = true;
    r.messages = {};
    r.continues = r.have > 0;
    r.aside = false;
  }
  while (!fragment.empty() && !r.aside && !r.lost) {
    if (r.have < r.head.size()) {
      // HelloRequest has no place behind others; that is a copy in which messages were overwritten.
      if (r.have == 0 && fragment[0] == 0) {
        r.aside = true;
        return;
      }
      r.head[r.have++] = fragment[0];
      fragment = fragment.subspan(1);
      if (r.have < r.head.size()) continue;
      r.left = OctetCursor(Octets(r.head).subspan(1)).number(3);
    }
    const std::size_t taken = std::min<std::size_t>(r.left, fragment.size());
    if (tells_something(r.head[0])) {
      const std::size_t kept = std::min(taken, kKeptMessage - r.kept.size());
      r.kept.append(reinterpret_cast<const char*>(fragment.data()), kept);
    }
    r.left -= static_cast<std::uint32_t>(taken);
    fragment = fragment.subspan(taken);
    if (r.left == 0) end_message(r);
  }
}

void TlsHandshakes::end_message(Reader& r) {
  TlsMessages& messages = r.messages;
  const std::uint8_t type = r.head[0];
  if (messages.count < TlsMessages::kKept) messages.types[messages.count] = type;
  ++messages.count;
  const std::uint32_t length = OctetCursor(Octets(r.head).subspan(1)).number(3);
  const Octets octets(reinterpret_cast<const std::uint8_t*>(r.kept.data()), r.kept.size());
  if (type == kClientHello) read_client_hello(octets, messages);
  if (type == kServerHello) read_server_hello(octets, messages);
  if (type == kCertificate) messages.certificates = read_chain(octets, length > octets.size());
  if (type == kCertificateRequest) messages.certificate_requested = true;
  r.have = 0;
  std::string().swap(r.kept);
}

const TlsMessages& TlsHandshakes::end_record(Side side) {
  Reader& r = reader(side);
  if (!r.record_open) r.messages = {};
  r.record_open = false;
  r.messages.goes_on = r.have > 0;
  r.messages.open_type = r.have > 0 ? r.head[0] : std::uint8_t{0};
  return r.messages;
}

void TlsHandshakes::lose(Side side) {
  Reader& r = reader(side);
  r.lost = true;
  r.have = 0;
  std::string().swap(r.kept);
}

void TlsHandshakes::read_client_hello(Octets octets, TlsMessages& messages) {
  ClientHello hello;
  OctetCursor cursor(octets);
  hello.legacy_version = static_cast<std::uint16_t>(cursor.number(2));
  // From the oldest that people still meet (RFC 8446 4.2.1: without the extension, that and older).
  hello.highest = hello.legacy_version;
  cursor.take(kRandom);
  client_session_ = string_from(cursor.vector(1));
  OctetCursor suites(cursor.vector(2));
  while (!suites.empty()) {
    const std::uint32_t suite = suites.number(2);
    if (!is_grease(suite) && !only_signals(suite)) ++hello.cipher_suites;
  }
  cursor.vector(1);  // compression
  OctetCursor extensions(cursor.empty() ? Octets() : cursor.vector(2));
  while (!extensions.empty() && extensions.ok()) {
    const std::uint32_t type = extensions.number(2);
    const Octets data = extensions.vector(2);
    if (type == kServerName) read_server_name(data, hello);
    if (type == kAlpn) hello.protocols = protocols_of(data);
    if (type == kSupportedVersions) read_versions(data, hello);
    if ((type == kSessionTicket && !data.empty()) || type == kPreSharedKey) hello.resumes = true;
    if (type == kEarlyData) hello.early_data = true;
  }
  hello.readable =
      cursor.ok() && extensions.ok() && suites.ok() && hello.legacy_version >> 8 == 0x03;
  messages.client_hello = std::move(hello);
}

void TlsHandshakes::read_server_hello(Octets octets, TlsMessages& messages) {
  ServerHello hello;
  OctetCursor cursor(octets);
  hello.version = static_cast<std::uint16_t>(cursor.number(2));
  hello.retry = std::ranges::equal(cursor.take(kRandom), kRetryRandom);
  const std::string session = string_from(cursor.vector(1));
  hello.cipher_suite = static_cast<std::uint16_t>(cursor.number(2));
  cursor.number(1);  // compression
  bool takes_key = false;
  OctetCursor extensions(cursor.empty() ? Octets() : cursor.vector(2));
  while (!extensions.empty() && extensions.ok()) {
    const std::uint32_t type = extensions.number(2);
    const Octets data = extensions.vector(2);
    if (type == kSupportedVersions) {
      hello.version = static_cast<std::uint16_t>(OctetCursor(data).number(2));
    }
    if (type == kPreSharedKey) takes_key = true;
    if (type == kAlpn) {
      const std::vector<std::string> chosen = protocols_of(data);
      if (!chosen.empty()) hello.protocol = chosen.front();
    }
  }
  // Before TLS 1.3 the session id comes back (RFC 5246 7.4.1.3, RFC 5077 3.4); since then always.
  hello.resumed =
      hello.version >= kTls13 ? takes_key : !session.empty() && session == client_session_;
  hello.readable = cursor.ok() && extensions.ok() && hello.version >> 8 == 0x03;
  if (hello.readable && hello.version >= kTls13) chose_tls13_ = true;
  messages.server_hello = std::move(hello);
}

}  // namespace smtpscope
