#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace smtpscope {

/// Where to listen or whom to connect to, as the user wrote it.
struct Endpoint {
  enum class Kind : std::uint8_t {
    kTcp,
    kUnix,    // a stream socket in the file system
    kSink,    // the server built into the program
    kReplay,  // what the server of a recording said, again
    kScript,  // what a script says
  };
  Kind kind = Kind::kTcp;
  std::string host;  // kTcp: name or address, without brackets; "" when only a port was given
  std::uint16_t port = 0;
  std::string path;  // kUnix, kReplay, kScript

  /// The server is inside this program.
  bool is_local_server() const {
    return kind == Kind::kSink || kind == Kind::kReplay || kind == Kind::kScript;
  }
  /// "mx.example:25", "[2001:db8::1]:25", "unix:/path", "sink", "replay:FILE", "script:FILE".
  std::string text() const;
};

/// "[HOST:]PORT"; IPv6 addresses in brackets.
Result<Endpoint> parse_listen(std::string_view text);
/// "HOST[:PORT]" (25 if no port is given), "unix:PATH", "sink", "replay:FILE" or "script:FILE".
Result<Endpoint> parse_upstream(std::string_view text);

/// An IPv4 or IPv6 address with its port. A value type.
class SocketAddress {
 public:
  SocketAddress() = default;
  /// `address` must be AF_INET or AF_INET6; an IPv4 address mapped into IPv6 (RFC 4291 2.5.5.2)
  /// is kept as it is, see unmapped().
  explicit SocketAddress(const sockaddr* address);

  /// From a numeric host, a zone ("fe80::1%eth0") included; empty if it is a name.
  static std::optional<SocketAddress> from_numeric(const std::string& host, std::uint16_t port);

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  int family() const { return storage_.ss_family; }
  std::uint16_t port() const;
  void set_port(std::uint16_t port);
  bool is_loopback() const;
  /// 0.0.0.0 or [::]: all of the host's addresses.
  bool is_wildcard() const;
  /// The IPv4 address behind an IPv4-mapped IPv6 one, else the address itself.
  SocketAddress unmapped() const;
  /// "192.0.2.10:25", "[2001:db8::1]:25".
  std::string text() const;
  /// Without port and brackets: "192.0.2.10", "2001:db8::1".
  std::string host() const;

 private:
  sockaddr_storage storage_{};
};

}  // namespace smtpscope
