#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "readers/packets/tcp_connection.h"

namespace smtpscope {

/// The port is one that mail uses (RFC 5321, RFC 8314): what is said there is shown whatever it is.
bool is_mail_port(std::uint16_t port);

/// How a connection begins, as far as it is known. Views are the caller's.
struct Beginning {
  std::array<std::string_view, 2> said;  // by index(Peer): the first octets of each end
  std::optional<Peer> opener;            // empty: the capture began later than the connection
  std::optional<Peer> server;            // without an opener: the end with a port of mail, if one
  bool over = false;                     // nothing more will be said
};

/// What the beginning of a connection makes of it.
struct Judgement {
  enum class Kind : std::uint8_t { kUndecided, kSmtp, kTls, kOther };
  Kind kind = Kind::kUndecided;
  Peer client = Peer::kLower;  // kSmtp
  // kSmtp through an HTTP proxy (RFC 9110 9.3.6): what was asked of it, and the octets that each
  // end said before it was SMTP's turn.
  std::string tunnel_target;
  std::array<std::size_t, 2> prelude{};
};

/// What of each end is enough to judge by; who has said more without a sign does not speak SMTP.
inline constexpr std::size_t kEnoughToJudge = 4096;

/// Judges by what is said alone, on any port: commands that no other protocol has (EHLO, HELO,
/// LHLO, MAIL FROM:, RCPT TO:), or a greeting that names SMTP or LMTP.
Judgement judge(const Beginning& beginning);

}  // namespace smtpscope
