#pragma once

#include <cstdint>
#include <string_view>

namespace smtpscope {

/// What a SASL mechanism (in upper case) shows to somebody who reads along.
enum class AuthExposure : std::uint8_t {
  kNothing,    // not known here, or no secret in it
  kChallenge,  // proves the password without sending it; open to guessing, and protects no mail
  kSecret,     // sends a password or token that works again
};

inline AuthExposure exposure_of(std::string_view mechanism) {
  // RFC 4616, draft-murchison-sasl-login, Google's XOAUTH2, RFC 7628.
  for (const std::string_view secret : {"PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"}) {
    if (mechanism == secret) return AuthExposure::kSecret;
  }
  if (mechanism.starts_with("SCRAM-")) return AuthExposure::kChallenge;
  for (const std::string_view challenge : {"CRAM-MD5", "DIGEST-MD5", "NTLM"}) {
    if (mechanism == challenge) return AuthExposure::kChallenge;
  }
  return AuthExposure::kNothing;
}

/// How many lines of a client, an initial response among them, until the secret is out: LOGIN sends
/// the user name first.
inline std::uint32_t lines_to_secret(std::string_view mechanism) {
  return mechanism == "LOGIN" ? 2 : 1;
}

/// The server speaks first, so an initial response is an error (RFC 4954 4).
inline bool server_speaks_first(std::string_view mechanism) {
  return mechanism == "CRAM-MD5" || mechanism == "DIGEST-MD5";
}

}  // namespace smtpscope
