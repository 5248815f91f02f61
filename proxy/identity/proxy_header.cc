#include "proxy/identity/proxy_header.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/octets.h"

// Numbers are those of proxy-protocol.txt: 2.1 for version 1, 2.2 for version 2.

namespace smtpscope {
namespace {

constexpr std::string_view kLineBegin = "PROXY ";
/// 2.1: "a 107-byte buffer is always enough to hold the header" and its CRLF.
constexpr std::size_t kLongestLine = 107;

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kFixedPart = 16;  // signature, version and command, family, length
constexpr std::uint8_t kVersion = 0x20;
constexpr std::uint8_t kLocal = 0x0;
constexpr std::uint8_t kProxied = 0x1;
constexpr std::uint8_t kUnspecified = 0x00;
constexpr std::uint8_t kTcp4 = 0x11;
constexpr std::uint8_t kTcp6 = 0x21;
constexpr std::uint8_t kUnixStream = 0x31;
constexpr std::size_t kTcp4Octets = 12;
constexpr std::size_t kTcp6Octets = 36;
constexpr std::size_t kUnixOctets = 216;
constexpr std::uint8_t kChecksum = 0x03;  // PP2_TYPE_CRC32C

/// Both of one family, IPv4 where that is possible.
ConnectionEnds in_one_family(const ConnectionEnds& ends) {
  const ConnectionEnds plain{ends.client.unmapped(), ends.destination.unmapped()};
  if (plain.client.family() == plain.destination.family()) return plain;
  return ends;
}

in6_addr ipv6_of(const SocketAddress& address) {
  if (address.family() == AF_INET6) {
    return reinterpret_cast<const sockaddr_in6*>(address.get())->sin6_addr;
  }
  in6_addr mapped{};
  mapped.s6_addr[10] = mapped.s6_addr[11] = 0xff;
  std::memcpy(&mapped.s6_addr[12], &reinterpret_cast<const sockaddr_in*>(address.get())->sin_addr,
              4);
  return mapped;
}

in_addr ipv4_of(const SocketAddress& address) {
  return reinterpret_cast<const sockaddr_in*>(address.get())->sin_addr;
}

bool is_ipv4(const ConnectionEnds& ends) {
  return ends.client.family() == AF_INET && ends.destination.family() == AF_INET;
}

SocketAddress ipv4(const in_addr& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr = host;
  address.sin_port = htons(port);
  return SocketAddress(reinterpret_cast<const sockaddr*>(&address));
}

SocketAddress ipv6(const in6_addr& host, std::uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = host;
  address.sin6_port = htons(port);
  return SocketAddress(reinterpret_cast<const sockaddr*>(&address));
}

std::uint16_t number16(std::span<const std::uint8_t> octets, std::size_t at) {
  return static_cast<std::uint16_t>(octets[at] << 8 | octets[at + 1]);
}

void put16(std::string& text, std::size_t number) {
  text += static_cast<char>(number >> 8);
  text += static_cast<char>(number & 0xff);
}

template <typename Host>
void put_host(std::string& text, const Host& host) {
  text.append(reinterpret_cast<const char*>(&host), sizeof(host));
}

/// Without leading zeros (2.1).
std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return port;
}

std::optional<SocketAddress> address_of(int family, std::string_view host, std::string_view port) {
  const auto number = port_of(port);
  const std::string text(host);
  if (!number) return std::nullopt;
  if (family == AF_INET) {
    in_addr address{};
    if (::inet_pton(AF_INET, text.c_str(), &address) != 1) return std::nullopt;
    return ipv4(address, *number);
  }
  in6_addr address{};
  if (::inet_pton(AF_INET6, text.c_str(), &address) != 1) return std::nullopt;
  return ipv6(address, *number);
}

/// Castagnoli's (RFC 3720 appendix B.4), with the octets of the sum itself taken for zeros.
std::uint32_t crc32c(std::span<const std::uint8_t> octets, std::size_t sum_at) {
  std::uint32_t crc = ~std::uint32_t{0};
  for (std::size_t i = 0; i < octets.size(); ++i) {
    crc ^= i >= sum_at && i < sum_at + 4 ? 0 : octets[i];
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc;
}

}  // namespace

std::string proxy_header_v1(const ConnectionEnds& any) {
  const ConnectionEnds ends = in_one_family(any);
  char client[INET6_ADDRSTRLEN];
  char destination[INET6_ADDRSTRLEN];
  const bool old = is_ipv4(ends);
  if (old) {
    const in_addr from = ipv4_of(ends.client);
    const in_addr to = ipv4_of(ends.destination);
    ::inet_ntop(AF_INET, &from, client, sizeof(client));
    ::inet_ntop(AF_INET, &to, destination, sizeof(destination));
  } else {
    const in6_addr from = ipv6_of(ends.client);
    const in6_addr to = ipv6_of(ends.destination);
    ::inet_ntop(AF_INET6, &from, client, sizeof(client));
    ::inet_ntop(AF_INET6, &to, destination, sizeof(destination));
  }
  return fmt::format("PROXY {} {} {} {} {}\r\n", old ? "TCP4" : "TCP6", client, destination,
                     ends.client.port(), ends.destination.port());
}

std::string proxy_header_v2(const ConnectionEnds& any) {
  const ConnectionEnds ends = in_one_family(any);
  const bool old = is_ipv4(ends);
  std::string header(kSignature);
  header += static_cast<char>(kVersion | kProxied);
  header += static_cast<char>(old ? kTcp4 : kTcp6);
  put16(header, old ? kTcp4Octets : kTcp6Octets);
  if (old) {
    put_host(header, ipv4_of(ends.client));
    put_host(header, ipv4_of(ends.destination));
  } else {
    put_host(header, ipv6_of(ends.client));
    put_host(header, ipv6_of(ends.destination));
  }
  put16(header, ends.client.port());
  put16(header, ends.destination.port());
  return header;
}

std::size_t ProxyHeaderReader::receive(std::span<const std::uint8_t> octets) {
  std::size_t taken = 0;
  while (taken < octets.size() && state_ == State::kMore) {
    octets_.push_back(octets[taken++]);
    examine();
  }
  return taken;
}

void ProxyHeaderReader::refuse(std::string fault) {
  state_ = State::kWrong;
  fault_ = std::move(fault);
}

void ProxyHeaderReader::examine() {
  const std::string_view text = text_of(octets_);
  if (version_ == 0) {
    if (text == kLineBegin) {
      version_ = 1;
    } else if (text == kSignature) {
      version_ = 2;
    } else if (!kLineBegin.starts_with(text) && !kSignature.starts_with(text)) {
      refuse("it does not begin with a PROXY header");
    }
    return;
  }
  if (version_ == 1) return examine_line();
  examine_binary();
}

void ProxyHeaderReader::examine_line() {
  if (octets_.back() != '\n') {
    if (octets_.size() >= kLongestLine) refuse("its PROXY header is longer than 107 octets");
    return;
  }
  if (octets_[octets_.size() - 2] != '\r') return refuse("its PROXY header ends in a bare LF");
  std::string_view line = text_of(octets_);
  line = line.substr(kLineBegin.size(), line.size() - kLineBegin.size() - 2);
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at <= line.size();) {
    const std::size_t space = std::min(line.find(' ', at), line.size());
    words.push_back(line.substr(at, space - at));
    at = space + 1;
  }
  // 2.1: what follows UNKNOWN is ignored.
  if (words[0] == "UNKNOWN") {
    state_ = State::kWhole;
    return;
  }
  const bool known = words[0] == "TCP4" || words[0] == "TCP6";
  if (!known || words.size() != 5) return refuse("its PROXY header is malformed");
  const int family = words[0] == "TCP4" ? AF_INET : AF_INET6;
  const auto client = address_of(family, words[1], words[3]);
  const auto destination = address_of(family, words[2], words[4]);
  if (!client || !destination) return refuse("an address in its PROXY header is malformed");
  ends_ = {*client, *destination};
  state_ = State::kWhole;
}

void ProxyHeaderReader::examine_binary() {
  if (octets_.size() < kFixedPart) return;
  if (octets_.size() == kFixedPart) {
    const std::uint8_t command = octets_[12];
    if ((command & 0xf0) != kVersion || (command & 0x0f) > kProxied) {
      return refuse(fmt::format("its PROXY header has version and command 0x{:02x}", command));
    }
    wanted_ = kFixedPart + number16(octets_, 14);
  }
  if (octets_.size() < wanted_) return;
  if ((octets_[12] & 0x0f) == kLocal) {
    state_ = State::kWhole;
    return;
  }
  read_addresses(octets_[13]);
}

void ProxyHeaderReader::read_addresses(std::uint8_t family) {
  const std::size_t need = family == kTcp4         ? kTcp4Octets
                           : family == kTcp6       ? kTcp6Octets
                           : family == kUnixStream ? kUnixOctets
                                                   : 0;
  if (need == 0 && family != kUnspecified) {
    return refuse(fmt::format("its PROXY header tells of a protocol 0x{:02x}, not of TCP", family));
  }
  if (octets_.size() < kFixedPart + need) return refuse("its PROXY header is too short");
  // 2.2: what an UNSPEC header holds is to be skipped, whatever it is.
  if (family != kUnspecified && !extensions_are_sound(kFixedPart + need)) return;
  const std::span<const std::uint8_t> from = std::span(octets_).subspan(kFixedPart);
  if (family == kTcp4) {
    in_addr client{};
    in_addr destination{};
    std::memcpy(&client, from.data(), 4);
    std::memcpy(&destination, from.data() + 4, 4);
    ends_ = {ipv4(client, number16(from, 8)), ipv4(destination, number16(from, 10))};
  } else if (family == kTcp6) {
    in6_addr client{};
    in6_addr destination{};
    std::memcpy(&client, from.data(), 16);
    std::memcpy(&destination, from.data() + 16, 16);
    ends_ = {ipv6(client, number16(from, 32)), ipv6(destination, number16(from, 34))};
  }
  state_ = State::kWhole;
}

/// The type-length-value triples behind the addresses: skipped, but for the checksum (2.2.3).
bool ProxyHeaderReader::extensions_are_sound(std::size_t at) {
  constexpr std::size_t kHead = 3;
  while (at < octets_.size()) {
    const std::size_t length = octets_.size() - at < kHead ? 0 : number16(octets_, at + 1);
    if (octets_.size() - at < kHead + length) {
      refuse("an extension of its PROXY header is cut short");
      return false;
    }
    if (octets_[at] == kChecksum) {
      const std::size_t sum = at + kHead;
      const bool holds = length == 4 && (std::uint32_t{number16(octets_, sum)} << 16 |
                                         number16(octets_, sum + 2)) == crc32c(octets_, sum);
      if (!holds) {
        refuse("the checksum of its PROXY header is wrong");
        return false;
      }
    }
    at += kHead + length;
  }
  return true;
}

}  // namespace smtpscope
