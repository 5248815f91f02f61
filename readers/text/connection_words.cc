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

/// "587" of "587)", "587: …"; "" if there is none.
std::string_view port_at(std::string_view text) {
  constexpr std::size_t kLongestPort = 5;
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const bool ends = digits == text.size() || !is_alphanumeric(text[digits]);
  return digits > 0 && digits <= kLongestPort && ends ? text.substr(0, digits) : "";
}

/// "192.0.2.25:587", "[2001:db8::25]:587", "mx.example.net:587": the first such word.
std::optional<std::string> host_and_port_in(std::string_view line) {
  for (std::size_t colon = line.find(':'); colon != std::string_view::npos;
       colon = line.find(':', colon + 1)) {
    const std::string_view port = port_at(line.substr(colon + 1));
    if (port.empty() || colon == 0) continue;
    std::size_t begin = colon;
    if (line[colon - 1] == ']') {
      begin = line.rfind('[', colon);
      if (begin == std::string_view::npos) continue;
    } else {
      while (begin > 0 && (is_alphanumeric(line[begin - 1]) || line[begin - 1] == '.' ||
                           line[begin - 1] == '-')) {
        --begin;
      }
      const std::string_view name = line.substr(begin, colon - begin);
      // "10:00:00" is a time of day, "smtplib.py:255" a place in a source.
      constexpr std::array<std::string_view, 8> kSources = {".py",  ".rb", ".js", ".java",
                                                            ".php", ".go", ".ts", ".pm"};
      const bool source = std::any_of(kSources.begin(), kSources.end(),
                                      [&](std::string_view end) { return name.ends_with(end); });
      if (source || (name.find('.') == std::string_view::npos && name != "localhost")) continue;
    }
    return std::string(line.substr(begin, colon + 1 + port.size() - begin));
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> failed_server_in(std::string_view line) {
  // "Failed to connect to server: …" names none.
  if (auto server = server_in(line); server && server != "server") return server;
  if (auto server = host_and_port_in(line)) return server;
  constexpr std::array<std::string_view, 12> kBefore = {
      "ENOTFOUND ",   "EAI_AGAIN ",   "EHOSTUNREACH ", "lookup ",     "resolve host: ",
      "locate host ", "host, port: ", "connect to ",   "for host \"", "UnknownHostException: ",
      "for \"",       "address for "};
  for (const std::string_view before : kBefore) {
    const std::size_t at = line.find(before);
    if (at == std::string_view::npos) continue;
    std::string_view rest = line.substr(at + before.size());
    std::string_view host = rest.substr(0, rest.find_first_of(" \t,:;\"'()"));
    rest.remove_prefix(host.size());
    while (host.ends_with('.')) host.remove_suffix(1);
    if (!is_host(host)) continue;
    // ", 587", " port 587", "\" port 587"
    if (const std::size_t digit = rest.find_first_of("0123456789"); digit <= sizeof "\" port") {
      const std::string_view port = port_at(rest.substr(digit));
      if (!port.empty()) return fmt::format("{}:{}", host, port);
    }
    return std::string(host);
  }
  return std::nullopt;
}

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
    // "Connection to 192.0.2.25 25 port [tcp/*] succeeded!", "… port 25", "…, port 25"
    if (rest.starts_with(", port ")) rest.remove_prefix(1);
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
  constexpr std::array<std::string_view, 15> kWords = {"wrong version number",
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
                                                       "certificate has expired",
                                                       "Failed to accept TLS"};
  return has_any(line, kWords);
}

}  // namespace smtpscope
