#include "readers/packets/smtp_signs.h"

#include <algorithm>

#include "base/ascii.h"

namespace smtpscope {
namespace {

enum class Sign : std::uint8_t { kNone, kClient, kServer, kTls, kOther };

/// A connection that was joined later is looked at for so many lines.
constexpr int kLines = 40;
constexpr std::string_view kHttpVersion = "HTTP/1.";
constexpr std::string_view kProxyHeader = "PROXY ";                    // proxy-protocol.txt 2.1
constexpr std::string_view kProxyHeader2("\r\n\r\n\0\r\nQUIT\n", 12);  // 2.2

bool begins_with(std::string_view text, std::string_view word) {
  return text.size() >= word.size() && equal_ignoring_case(text.substr(0, word.size()), word);
}

bool contains_word(std::string_view text, std::string_view word) {
  return std::search(text.begin(), text.end(), word.begin(), word.end(),
                     [](char a, char b) { return upper(a) == upper(b); }) != text.end();
}

bool is_smtp_command(std::string_view line) {
  for (const std::string_view word : {"EHLO ", "HELO ", "LHLO ", "MAIL FROM:", "RCPT TO:"}) {
    if (begins_with(line, word)) return true;
  }
  return false;
}

bool is_reply(std::string_view line) {
  return line.size() >= 3 && line[0] >= '2' && line[0] <= '5' && is_digit(line[1]) &&
         is_digit(line[2]) && (line.size() == 3 || line[3] == ' ' || line[3] == '-');
}

/// RFC 5321 4.3.1: a greeting names SMTP; RFC 2033 4.1: LMTP.
bool is_mail_greeting(std::string_view line) {
  return is_reply(line) && (contains_word(line, "SMTP") || contains_word(line, "LMTP"));
}

/// A TLS record of the handshake, of any version (RFC 8446 5.1).
bool begins_tls(std::string_view said) {
  return said.size() >= 2 && said[0] == 0x16 && said[1] == 0x03;
}

/// What an end is by its first words. `anywhere`: they need not be the first.
Sign sign_of(std::string_view said, bool anywhere) {
  if (begins_tls(said)) return Sign::kTls;
  const bool behind_header = begins_with(said, kProxyHeader) || said.starts_with(kProxyHeader2);
  const bool enough = said.size() >= kEnoughToJudge;
  int lines = 0;
  while (!said.empty() && lines < kLines) {
    const std::size_t end = said.find('\n');
    const std::string_view line = said.substr(0, end);
    if (is_smtp_command(line)) return Sign::kClient;
    if (end == std::string_view::npos) break;
    if (is_mail_greeting(line)) return Sign::kServer;
    ++lines;
    // Another word in front: a reply or an early RSET may be mail's, anything else is not.
    const std::string_view word = line.substr(0, line.find_last_not_of('\r') + 1);
    const bool harmless = is_reply(word) || begins_with(word, "RSET") ||
                          begins_with(word, "NOOP") || begins_with(word, "QUIT") ||
                          begins_with(word, "STARTTLS") || begins_with(word, "AUTH ");
    if (!anywhere && !behind_header && !harmless) return Sign::kOther;
    said.remove_prefix(end + 1);
  }
  return enough || lines == kLines ? Sign::kOther : Sign::kNone;
}

/// The octets of an HTTP header section with its empty line; npos while it is not whole.
std::size_t header_section(std::string_view said) {
  const std::size_t end = said.find("\r\n\r\n");
  return end == std::string_view::npos ? end : end + 4;
}

/// The client asks an HTTP proxy for a tunnel.
bool asks_for_tunnel(std::string_view said) {
  constexpr std::string_view kConnect = "CONNECT ";
  return said.starts_with(kConnect.substr(0, said.size())) && !said.empty();
}

Judgement smtp(Peer client) {
  Judgement judgement;
  judgement.kind = Judgement::Kind::kSmtp;
  judgement.client = client;
  return judgement;
}

Judgement judge_words(const Beginning& beginning) {
  const bool anywhere = !beginning.opener;
  std::array<Sign, 2> signs{};
  for (const Peer peer : {Peer::kLower, Peer::kHigher}) {
    Sign& sign = signs[index(peer)];
    sign = sign_of(beginning.said[index(peer)], anywhere);
    if (sign == Sign::kClient && beginning.server != peer) return smtp(peer);
  }
  for (const Peer peer : {Peer::kLower, Peer::kHigher}) {
    const bool speaks_for_server = signs[index(peer)] == Sign::kServer;
    if (speaks_for_server && beginning.opener != peer && beginning.server.value_or(peer) == peer) {
      return smtp(other(peer));
    }
  }
  // Joined in the middle of a message, the client may quote what a server says, and a server what
  // it was told: the port decides.
  if (beginning.server && std::ranges::any_of(signs, [](Sign sign) {
        return sign == Sign::kClient || sign == Sign::kServer;
      })) {
    return smtp(other(*beginning.server));
  }
  Judgement judgement;
  const auto any = [&](Sign sign) { return signs[0] == sign || signs[1] == sign; };
  if (any(Sign::kTls)) {
    judgement.kind = Judgement::Kind::kTls;
  } else if (any(Sign::kOther) || beginning.over) {
    judgement.kind = Judgement::Kind::kOther;
  }
  return judgement;
}

Judgement judge_tunnel(const Beginning& beginning, Peer client) {
  const std::string_view asked = beginning.said[index(client)];
  const std::string_view answered = beginning.said[index(other(client))];
  const std::size_t request = header_section(asked);
  const std::size_t response = header_section(answered);
  Judgement judgement;
  const bool cannot_be =
      !answered.empty() && !answered.starts_with(kHttpVersion.substr(0, answered.size()));
  const bool refused =
      response != std::string_view::npos && answered.substr(8, 2) != " 2";  // "HTTP/1.0 200"
  const bool too_long = asked.size() >= kEnoughToJudge || answered.size() >= kEnoughToJudge;
  if (request == std::string_view::npos || response == std::string_view::npos || cannot_be ||
      refused) {
    if (cannot_be || refused || too_long || beginning.over) {
      judgement.kind = Judgement::Kind::kOther;
    }
    return judgement;
  }
  Beginning inner = beginning;
  inner.said[index(client)].remove_prefix(request);
  inner.said[index(other(client))].remove_prefix(response);
  judgement = judge_words(inner);
  judgement.prelude[index(client)] = request;
  judgement.prelude[index(other(client))] = response;
  std::string_view target = asked.substr(std::string_view("CONNECT ").size());
  judgement.tunnel_target = target.substr(0, target.find_first_of(" \r\n"));
  return judgement;
}

}  // namespace

bool is_mail_port(std::uint16_t port) { return port == 25 || port == 465 || port == 587; }

Judgement judge(const Beginning& beginning) {
  for (const Peer peer : {Peer::kLower, Peer::kHigher}) {
    if (beginning.opener && beginning.opener != peer) continue;
    if (asks_for_tunnel(beginning.said[index(peer)])) return judge_tunnel(beginning, peer);
  }
  return judge_words(beginning);
}

}  // namespace smtpscope
