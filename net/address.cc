#include "net/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/ascii.h"

namespace smtpscope {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::string_view kReplayPrefix = "replay:";
constexpr std::string_view kScriptPrefix = "script:";
constexpr std::uint16_t kSmtpPort = 25;

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (fault != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return port;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

/// Ends like a number but is no address, such as 0x7f.1 or 010.0.0.1: inet_aton(3), and with it the
/// resolver, would read an address into it, and not everybody the same. No name ends so: there is
/// no such top-level domain (RFC 3696 2).
bool is_doubtful_address(const std::string& host) {
  in_addr four{};
  if (::inet_pton(AF_INET, host.c_str(), &four) == 1) return false;
  std::string_view last = host;
  if (last.ends_with('.')) last.remove_suffix(1);
  last.remove_prefix(last.rfind('.') + 1);
  const bool hex = last.starts_with("0x") || last.starts_with("0X");
  return is_number(last) ||
         (hex && last.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string_view::npos);
}

struct HostAndPort {
  std::string_view host;
  std::optional<std::string_view> port;
};

/// Splits "HOST", "HOST:PORT", "[V6]", "[V6]:PORT"; empty when the brackets are amiss or a bare
/// IPv6 address leaves it open where the port begins.
std::optional<HostAndPort> split(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view rest = text.substr(close + 1);
    if (rest.empty()) return HostAndPort{text.substr(1, close - 1), std::nullopt};
    if (!rest.starts_with(':')) return std::nullopt;
    return HostAndPort{text.substr(1, close - 1), rest.substr(1)};
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return HostAndPort{text, std::nullopt};
  if (text.find(':', colon + 1) != std::string_view::npos) return std::nullopt;
  return HostAndPort{text.substr(0, colon), text.substr(colon + 1)};
}

}  // namespace

std::string Endpoint::text() const {
  switch (kind) {
    case Kind::kUnix:
      return std::string(kUnixPrefix) + path;
    case Kind::kSink:
      return "sink";
    case Kind::kReplay:
      return std::string(kReplayPrefix) + path;
    case Kind::kScript:
      return std::string(kScriptPrefix) + path;
    case Kind::kTcp:
      break;
  }
  if (host.empty()) return std::to_string(port);
  if (host.find(':') != std::string::npos) return fmt::format("[{}]:{}", host, port);
  return fmt::format("{}:{}", host, port);
}

Result<Endpoint> parse_listen(std::string_view text) {
  const Error fault{fmt::format(
      "cannot listen on '{}': give a port (2525) or HOST:PORT (127.0.0.1:2525, [::1]:2525)", text)};
  Endpoint endpoint;
  std::string_view port_text = text;
  if (!is_number(text)) {
    const auto parts = split(text);
    if (!parts || !parts->port || parts->host.empty()) return fault;
    endpoint.host = parts->host;
    if (is_doubtful_address(endpoint.host)) return fault;
    port_text = *parts->port;
  }
  const auto port = port_of(port_text);
  if (!port) return fault;
  endpoint.port = *port;
  return endpoint;
}

Result<Endpoint> parse_upstream(std::string_view text) {
  Endpoint endpoint;
  if (text == "sink") {
    endpoint.kind = Endpoint::Kind::kSink;
    return endpoint;
  }
  if (text.starts_with(kUnixPrefix)) {
    endpoint.kind = Endpoint::Kind::kUnix;
    endpoint.path = text.substr(kUnixPrefix.size());
    if (endpoint.path.empty() || endpoint.path.size() >= sizeof(sockaddr_un::sun_path)) {
      return Error{fmt::format("cannot use '{}' as the server: a socket's path has 1 to {} octets",
                               text, sizeof(sockaddr_un::sun_path) - 1)};
    }
    return endpoint;
  }
  for (const auto& [prefix, kind] : {std::pair{kReplayPrefix, Endpoint::Kind::kReplay},
                                     std::pair{kScriptPrefix, Endpoint::Kind::kScript}}) {
    if (!text.starts_with(prefix)) continue;
    endpoint.kind = kind;
    endpoint.path = text.substr(prefix.size());
    if (endpoint.path.empty()) {
      return Error{
          fmt::format("cannot use '{}' as the server: name the file, {}FILE", text, prefix)};
    }
    return endpoint;
  }
  const auto parts = split(text);
  const auto port = !parts        ? std::nullopt
                    : parts->port ? port_of(*parts->port)
                                  : std::optional<std::uint16_t>(kSmtpPort);
  if (!parts || parts->host.empty() || !port || *port == 0 ||
      is_doubtful_address(std::string(parts->host))) {
    return Error{fmt::format(
        "cannot use '{}' as the server: give HOST:PORT (mx.example:25, [2001:db8::1]:25), "
        "unix:PATH, sink, replay:FILE or script:FILE",
        text)};
  }
  endpoint.host = parts->host;
  endpoint.port = *port;
  return endpoint;
}

SocketAddress::SocketAddress(const sockaddr* address) {
  assert(address->sa_family == AF_INET || address->sa_family == AF_INET6);
  std::memcpy(&storage_, address,
              address->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
}

std::optional<SocketAddress> SocketAddress::from_numeric(const std::string& host,
                                                         std::uint16_t port) {
  if (host.find(':') == std::string::npos) {
    // Not by getaddrinfo(), which takes 010.0.0.1 as octal.
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    if (::inet_pton(AF_INET, host.c_str(), &four.sin_addr) != 1) return std::nullopt;
    return SocketAddress(reinterpret_cast<const sockaddr*>(&four));
  }
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return std::nullopt;
  SocketAddress address(found->ai_addr);
  freeaddrinfo(found);
  address.set_port(port);
  return address;
}

std::uint16_t SocketAddress::port() const {
  return ntohs(family() == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(storage_).sin6_port
                                    : reinterpret_cast<const sockaddr_in&>(storage_).sin_port);
}

void SocketAddress::set_port(std::uint16_t port) {
  if (family() == AF_INET6) {
    reinterpret_cast<sockaddr_in6&>(storage_).sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in&>(storage_).sin_port = htons(port);
  }
}

bool SocketAddress::is_loopback() const {
  const SocketAddress plain = unmapped();
  if (plain.family() == AF_INET6) {
    return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(plain.storage_).sin6_addr);
  }
  // RFC 5735 3: all of 127.0.0.0/8.
  return ntohl(reinterpret_cast<const sockaddr_in&>(plain.storage_).sin_addr.s_addr) >> 24 == 127;
}

bool SocketAddress::is_wildcard() const {
  if (family() == AF_INET6) {
    return IN6_IS_ADDR_UNSPECIFIED(&reinterpret_cast<const sockaddr_in6&>(storage_).sin6_addr);
  }
  return reinterpret_cast<const sockaddr_in&>(storage_).sin_addr.s_addr == INADDR_ANY;
}

SocketAddress SocketAddress::unmapped() const {
  if (family() != AF_INET6) return *this;
  const auto& six = reinterpret_cast<const sockaddr_in6&>(storage_);
  if (!IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) return *this;
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = six.sin6_port;
  std::memcpy(&four.sin_addr, six.sin6_addr.s6_addr + 12, sizeof(four.sin_addr));
  return SocketAddress(reinterpret_cast<const sockaddr*>(&four));
}

std::string SocketAddress::text() const {
  const SocketAddress plain = unmapped();
  char host[INET6_ADDRSTRLEN] = "";
  if (plain.family() == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(plain.storage_);
    inet_ntop(AF_INET6, &six.sin6_addr, host, sizeof(host));
    return fmt::format("[{}]:{}", host, plain.port());
  }
  // Not by inet_ntop(): its sprintf() took a twentieth of the instructions of a short session.
  const auto& four = reinterpret_cast<const sockaddr_in&>(plain.storage_);
  const std::uint32_t octets = ntohl(four.sin_addr.s_addr);
  std::string text;
  for (const int shift : {24, 16, 8, 0}) {
    text += fmt::format_int((octets >> shift) & 0xffU).c_str();
    text += shift == 0 ? ':' : '.';
  }
  text += fmt::format_int(plain.port()).c_str();
  return text;
}

std::string SocketAddress::host() const {
  std::string host = text();
  host.resize(host.rfind(':'));
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

}  // namespace smtpscope
