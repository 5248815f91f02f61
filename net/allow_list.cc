#include "net/allow_list.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>

namespace smtpscope {
namespace {

using AddressOctets = std::array<std::uint8_t, 16>;

AddressOctets octets_of(const SocketAddress& address) {
  AddressOctets octets{};
  if (address.family() == AF_INET6) {
    const auto* six = reinterpret_cast<const sockaddr_in6*>(address.get());
    std::memcpy(octets.data(), &six->sin6_addr, 16);
  } else {
    const auto* four = reinterpret_cast<const sockaddr_in*>(address.get());
    std::memcpy(octets.data(), &four->sin_addr, 4);
  }
  return octets;
}

/// Sets all bits behind the first `bits` to 0.
void cut(AddressOctets& octets, unsigned bits) {
  for (unsigned i = 0; i < octets.size(); ++i) {
    const unsigned kept = std::clamp(bits, i * 8, i * 8 + 8) - i * 8;
    octets[i] = static_cast<std::uint8_t>(octets[i] & (0xff00U >> kept));
  }
}

/// What may have been meant by an IPv4 address that is none: "10.1" or "010.1.0.0" is 10.1.0.0;
/// "" when nobody can tell. Programs differ in how they read those, some take them as octal.
std::string decimal_guess(std::string_view text) {
  std::string guess;
  int parts = 0;
  while (!text.empty()) {
    const std::size_t dot = std::min(text.find('.'), text.size());
    std::string_view part = text.substr(0, dot);
    text.remove_prefix(std::min(dot + 1, text.size()));
    while (part.size() > 1 && part.front() == '0') part.remove_prefix(1);
    unsigned value = 0;
    const auto [end, failure] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (failure != std::errc{} || end != part.data() + part.size() || value > 255) return {};
    guess += fmt::format("{}{}", parts++ == 0 ? "" : ".", value);
  }
  if (parts < 1 || parts > 4) return {};
  for (; parts < 4; ++parts) guess += ".0";
  return guess;
}

Error no_network(std::string_view cidr) {
  return {fmt::format(
      "cannot allow '{}': give an address or a network such as 192.0.2.0/24 or 2001:db8::/32",
      cidr)};
}

Error no_address(std::string_view cidr, std::string_view host, std::string_view prefix) {
  in_addr number{};
  std::string guess = decimal_guess(host);
  if (guess.empty() && ::inet_aton(std::string(host).c_str(), &number) == 1) {
    char text[INET_ADDRSTRLEN] = "";
    guess = ::inet_ntop(AF_INET, &number, text, sizeof text);
  }
  if (guess.empty()) return no_network(cidr);
  return {
      fmt::format("cannot allow '{}': an IPv4 address is four decimal numbers without leading "
                  "zeros; if {}{} is "
                  "meant, write that",
                  cidr, guess, prefix)};
}

}  // namespace

Result<Done> AllowList::add(std::string_view cidr) {
  const std::size_t slash = std::min(cidr.find('/'), cidr.size());
  const std::string host(cidr.substr(0, slash));

  Network network;
  network.family = host.find(':') == std::string::npos ? AF_INET : AF_INET6;
  if (::inet_pton(network.family, host.c_str(), network.prefix.data()) != 1) {
    return no_address(cidr, host, cidr.substr(slash));
  }
  const unsigned width = network.family == AF_INET6 ? 128 : 32;
  network.bits = width;
  if (slash < cidr.size()) {
    const std::string_view bits = cidr.substr(slash + 1);
    const auto [end, failure] =
        std::from_chars(bits.data(), bits.data() + bits.size(), network.bits);
    const bool padded = bits.size() > 1 && bits.front() == '0';
    if (bits.empty() || failure != std::errc{} || end != bits.data() + bits.size() || padded ||
        network.bits > width) {
      return no_network(cidr);
    }
  }
  AddressOctets prefix = network.prefix;
  cut(prefix, network.bits);
  if (prefix != network.prefix) {
    // 192.0.2.7/24 is more often a slip than meant; nobody should be let in by a slip.
    return Error{
        fmt::format("cannot allow '{}': bits are set after the /{} prefix", cidr, network.bits)};
  }
  constexpr unsigned kMapped = 96;
  in6_addr six{};
  std::memcpy(&six, network.prefix.data(), network.prefix.size());
  if (network.family == AF_INET6 && network.bits >= kMapped && IN6_IS_ADDR_V4MAPPED(&six)) {
    // Clients of a dual-stack listener are compared by their IPv4 address.
    char four[INET_ADDRSTRLEN] = "";
    ::inet_ntop(AF_INET, network.prefix.data() + 12, four, sizeof four);
    return Error{fmt::format("cannot allow '{}': these are IPv4 addresses, write {}/{}", cidr, four,
                             network.bits - kMapped)};
  }
  if (network.bits == 0 && !everyone_) {
    return Error{fmt::format(
        "cannot allow '{}': that is everybody, and makes an open relay of a server that "
        "trusts this host; if it is meant, say --allow-everyone",
        cidr)};
  }
  networks_.push_back(network);
  return Done{};
}

void AllowList::add_everyone() { everyone_ = true; }

bool AllowList::admits(const SocketAddress& client) const {
  return everyone_ || client.unmapped().is_loopback() || names(client);
}

bool AllowList::names(const SocketAddress& client) const {
  const SocketAddress plain = client.unmapped();
  const AddressOctets octets = octets_of(plain);
  return std::ranges::any_of(networks_, [&](const Network& network) {
    if (network.family != plain.family()) return false;
    AddressOctets prefix = octets;
    cut(prefix, network.bits);
    return prefix == network.prefix;
  });
}

}  // namespace smtpscope
