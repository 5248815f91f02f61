#include "readers/logs/postfix_smtp.h"

#include "readers/logs/postfix_peer.h"
#include "readers/text/log_syslog_line.h"

namespace smtpscope {
namespace {

constexpr std::string_view kSmtpTries = "smtp_connect_addr: trying: ";

/// "mx[192.0.2.25] port 25..."
std::string tried_server(std::string_view text) {
  PostfixPeer peer;
  if (!take_postfix_peer(text, peer)) return {};
  constexpr std::string_view kPort = " port ";
  if (peer.behind.starts_with(kPort)) {
    peer.port = peer.behind.substr(kPort.size());
    peer.port = peer.port.substr(0, peer.port.find_first_not_of("0123456789"));
  }
  return postfix_address(peer);
}

}  // namespace

PostfixSmtp::PostfixSmtp(LogRun& run, WallTime latest)
    : book_(run, latest, {.client = "postfix", .unknown = kPostfixHides}) {}

bool PostfixSmtp::recognises(std::string_view message) {
  PostfixPeer peer;
  return (message.starts_with("> ") || message.starts_with("< ")) &&
         take_postfix_peer(message, peer) && peer.behind.starts_with(": ");
}

void PostfixSmtp::read(const SyslogLine& line) {
  const std::string_view message = line.message;
  const bool said = message.starts_with("> ");
  if (!said && !message.starts_with("< ")) {
    if (message.starts_with(kSmtpTries)) {
      book_.at(line.stamp);
      book_.announce(line.process, tried_server(message.substr(kSmtpTries.size())));
    } else if (message.find("TLS library problem") != std::string_view::npos ||
               message.starts_with("SSL_connect error to ")) {
      book_.at(line.stamp);
      book_.fail_handshake(line.process, std::nullopt, message);
    } else if (message.starts_with("lost connection with ") ||
               message.find(": lost connection with ") != std::string_view::npos) {
      book_.at(line.stamp);
      book_.close(line.process, Side::kServer, message);
    }
    return;
  }
  PostfixPeer peer;
  if (!take_postfix_peer(message, peer) || !peer.behind.starts_with(":")) return;
  book_.at(line.stamp);
  std::string_view text = peer.behind.substr(1);
  if (text.starts_with(' ')) text.remove_prefix(1);
  if (book_.find(line.process) == nullptr) {
    book_.announce(line.process, postfix_address(peer));
  }
  book_.say(line.process, said ? Side::kClient : Side::kServer, text);
}

}  // namespace smtpscope
