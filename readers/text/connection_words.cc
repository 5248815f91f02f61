#include "readers/text/connection_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "readers/text/line_content.h"

namespace smtpscope {
namespace {

template <std::size_t size>
bool has_any(std::string_view text, const std::array<std::string_view, size>& words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  });
}

/// A name or address that a client connects to; prose has none.
bool is_host(std::string_view word) {
  return word.size() > 1 && (word.find('.') != std::string_view::npos ||
                             word.find(':') != std::string_view::npos || word == "localhost");
}

}  // namespace

std::optional<std::string> server_in(std::string_view line) {
  constexpr std::array<std::string_view, 6> kWords = {"Trying ",        "Connected to ",
                                                      "Connecting to ", "Connection to ",
                                                      "connect to ",    "Opening connection to "};
  for (const std::string_view words : kWords) {
    const std::size_t at = line.find(words);
    if (at == std::string_view::npos || (at > 0 && is_alphanumeric(line[at - 1]))) continue;
    std::string_view rest = line.substr(at + words.size());
    if (const std::size_t scheme = rest.find("://"); scheme < 6) rest.remove_prefix(scheme + 3);
    std::string_view host = rest.substr(0, rest.find_first_of(" \t,/?"));
    rest.remove_prefix(host.size());
    while (host.ends_with('.')) host.remove_suffix(1);
    if (!is_host(host)) continue;
    if (host.ends_with(':')) host.remove_suffix(1);
    // "Connection to 192.0.2.25 25 port [tcp/*] succeeded!", "… port 25"
    rest = without_leading_blanks(rest);
    if (rest.starts_with("port ")) rest.remove_prefix(5);
    const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    constexpr std::size_t kLongestPort = 5;
    if (digits > 0 && digits <= kLongestPort && host.find(':') == std::string_view::npos) {
      return fmt::format("{}:{}", host, rest.substr(0, digits));
    }
    return std::string(host);
  }
  return std::nullopt;
}

bool closed_by_server(std::string_view line) {
  constexpr std::array<std::string_view, 9> kWords = {
      "closed by foreign host",         "closed by remote host",
      "Remote host closed connection",  "closed by the remote",
      "Connection unexpectedly closed", "closed by peer",
      "connection closed by server",    "server closed the connection",
      "Server closed connection"};
  return has_any(line, kWords);
}

bool handshake_failed(std::string_view line) {
  constexpr std::array<std::string_view, 14> kWords = {"wrong version number",
                                                       "TLS startup failed",
                                                       "handshake failed",
                                                       "handshake failure",
                                                       "gnutls_handshake",
                                                       "certificate verify failed",
                                                       "certificate verification failed",
                                                       "self-signed certificate",
                                                       "self signed certificate",
                                                       "Could not convert socket to TLS",
                                                       "unable to get local issuer certificate",
                                                       "SSLHandshakeException",
                                                       "unknown protocol",
                                                       "certificate has expired"};
  return has_any(line, kWords);
}

}  // namespace smtpscope
