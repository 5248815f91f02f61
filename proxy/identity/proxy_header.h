#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "net/address.h"

namespace smtpscope {

/// Who a connection is from, and what it was made to.
struct ConnectionEnds {
  SocketAddress client;
  SocketAddress destination;
};

/// The header of the PROXY protocol (https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt)
/// in its version 1 (a line of text) or 2 (binary). Both ends are told in one family: an IPv4
/// address beside an IPv6 one is mapped into IPv6 (RFC 4291 2.5.5.2).
std::string proxy_header_v1(const ConnectionEnds& ends);
std::string proxy_header_v2(const ConnectionEnds& ends);

/// Reads such a header, of either version, as it comes in, in however many pieces. Strict: a sender
/// that is trusted with saying who a client is has to say it right. Not thread-safe.
class ProxyHeaderReader {
 public:
  enum class State : std::uint8_t { kMore, kWhole, kWrong };

  /// Takes octets up to the end of the header at most, and gives how many. After kWhole or kWrong
  /// it takes none.
  std::size_t receive(std::span<const std::uint8_t> octets);

  State state() const { return state_; }
  /// kWhole. Empty: the sender speaks for itself (LOCAL), or for nobody it can name (UNKNOWN,
  /// UNSPEC, a Unix socket).
  const std::optional<ConnectionEnds>& ends() const { return ends_; }
  /// kWhole: 1 or 2.
  int version() const { return version_; }
  /// kWrong: in words.
  const std::string& fault() const { return fault_; }
  /// What was taken.
  std::span<const std::uint8_t> octets() const { return octets_; }

 private:
  void examine();
  void examine_line();
  void examine_binary();
  void read_addresses(std::uint8_t family);
  bool extensions_are_sound(std::size_t begin);
  void refuse(std::string fault);

  std::vector<std::uint8_t> octets_;
  std::size_t wanted_ = 0;  // octets of a binary header, once known
  State state_ = State::kMore;
  int version_ = 0;
  std::optional<ConnectionEnds> ends_;
  std::string fault_;
};

}  // namespace smtpscope
