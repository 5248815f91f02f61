#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/side.h"
#include "base/time.h"
#include "capture/certificate.h"

namespace smtpscope {

/// Where the certificate came from that the TLS server of a handshake showed.
enum class TlsCertificateOrigin : std::uint8_t {
  kServer,      // the mail server's own
  kMade,        // made by smtpscope, signed by a CA that clients may have been told to trust
  kMadeForRun,  // likewise, by a CA made for this run: nobody can know it
  kUser,        // given with --cert
};

/// What TlsFacts::verification says when the certificate was accepted: for verified_name; or by its
/// signatures alone, since nobody knew whom to expect (--upstream unix:, and no SNI).
inline constexpr std::string_view kCertificateVerified = "ok";
inline constexpr std::string_view kNoNameVerified = "ok, but no name was checked";

/// One TLS handshake that smtpscope took part in, with the client or with the server, and what
/// became of it. Shared by all copies of its event, for it is large and rare.
struct TlsFacts {
  bool completed = false;
  /// Of the time it took: waiting for the handshake on the other side.
  Duration waited{};
  // What the ClientHello offered.
  std::string server_name;  // SNI (RFC 6066 3), "" if none
  std::vector<std::string> versions_offered;
  std::uint32_t ciphers_offered = 0;
  std::vector<std::string> alpn_offered;
  // What was agreed on.
  std::string version;  // "TLS 1.3"; "" if it did not come so far
  std::string cipher;
  std::string alpn;
  bool resumed = false;
  // Who proved what.
  TlsCertificateOrigin origin = TlsCertificateOrigin::kServer;
  std::vector<TlsCertificate> certificates;  // as shown, the server's own first
  std::string verification;   // "": nobody checked; the two above; or why it is not accepted
  std::string verified_name;  // that the certificate was found to be for; "" if none, or unknown
  bool client_certificate_asked = false;
  std::optional<TlsCertificate> client_certificate;
  // Why it failed.
  std::string failure;                // in words
  std::optional<Side> failed_by;      // empty: smtpscope
  std::optional<std::uint8_t> alert;  // that ended it (RFC 8446 6), of whoever failed it
  /// In what it is not as the handshake on the other side, in words.
  std::vector<std::string> differences;
};

}  // namespace smtpscope
