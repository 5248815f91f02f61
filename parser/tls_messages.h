#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smtpscope {

inline constexpr std::uint16_t kTls12 = 0x0303;
inline constexpr std::uint16_t kTls13 = 0x0304;

/// What a client asks for (RFC 8446 4.1.2). Values of GREASE (RFC 8701) are left out.
struct ClientHello {
  std::uint16_t legacy_version = 0;
  std::uint16_t lowest = 0, highest = 0;  // versions that it offers; lowest 0: nobody knows
  std::uint32_t cipher_suites = 0;        // how many, those that only signal something aside
  std::string server_name;                // SNI (RFC 6066 3); "" without
  std::vector<std::string> protocols;     // ALPN (RFC 7301), the first kKeptProtocols
  bool resumes = false;                   // it offers a ticket or a pre-shared key of before
  bool early_data = false;
  bool readable = false;  // all its lengths fit

  static constexpr std::size_t kKeptProtocols = 8;
  static constexpr std::size_t kKeptServerName = 255;  // octets; RFC 1035 2.3.4
};

/// What the server chose (RFC 8446 4.1.3).
struct ServerHello {
  std::uint16_t version = 0;
  std::uint16_t cipher_suite = 0;
  std::string protocol;  // ALPN, before TLS 1.3 only: there it is encrypted
  bool retry = false;    // HelloRetryRequest: the client has to say its hello again
  bool resumed = false;  // it takes a session of before up again
  bool readable = false;
};

/// The certificates that one side shows, its own first. Before TLS 1.3 only: there they are
/// encrypted.
struct CertificateChain {
  static constexpr std::size_t kKept = 4;

  std::vector<std::string>
      certificates;  // the DER of the first kKept of them, not verified to be any
  std::size_t count = 0;
  bool cut = false;  // longer than what is kept, or its lengths do not fit
};

/// The handshake messages that ended in one record, and what they tell.
struct TlsMessages {
  static constexpr std::size_t kKept = 8;

  std::array<std::uint8_t, kKept> types{};  // RFC 8446 4, in order, the first kKept of them
  std::size_t count = 0;
  bool goes_on = false;  // a message began in it, or went on, and does not end in it
  std::uint8_t open_type = 0;
  std::optional<ClientHello> client_hello;
  std::optional<ServerHello> server_hello;
  std::optional<CertificateChain> certificates;
  bool certificate_requested = false;
};

/// "TLS 1.2" or, for what has no name, "version 0x7f17".
std::string tls_version_text(std::uint16_t version);
/// The IANA name of a cipher suite that is in use, else "cipher suite 0x1234".
std::string tls_cipher_text(std::uint16_t suite);

}  // namespace smtpscope
