#include "proxy/allow_list.h"

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

}  // namespace

Result<Done> AllowList::add(std::string_view cidr) {
  const Error fault{fmt::format(
      "cannot allow '{}': give an address or a network such as 192.0.2.0/24 or 2001:db8::/32",
      cidr)};
  const std::size_t slash = cidr.find('/');
  const auto address = SocketAddress::from_numeric(std::string(cidr.substr(0, slash)), 0);
  if (!address) return fault;

  Network network;
  network.family = address->family();
  const unsigned width = network.family == AF_INET6 ? 128 : 32;
  network.bits = width;
  if (slash != std::string_view::npos) {
    const std::string_view bits = cidr.substr(slash + 1);
    const auto [end, failure] =
        std::from_chars(bits.data(), bits.data() + bits.size(), network.bits);
    if (bits.empty() || failure != std::errc{} || end != bits.data() + bits.size() ||
        network.bits > width) {
      return fault;
    }
  }
  network.prefix = octets_of(*address);
  AddressOctets prefix = network.prefix;
  cut(prefix, network.bits);
  if (prefix != network.prefix) {
    // 192.0.2.7/24 is more often a slip than meant; nobody should be let in by a slip.
    return Error{
        fmt::format("cannot allow '{}': bits are set behind the /{} prefix", cidr, network.bits)};
  }
  networks_.push_back(network);
  return Done{};
}

bool AllowList::admits(const SocketAddress& client) const {
  const SocketAddress plain = client.unmapped();
  if (plain.is_loopback()) return true;
  const AddressOctets octets = octets_of(plain);
  return std::ranges::any_of(networks_, [&](const Network& network) {
    if (network.family != plain.family()) return false;
    AddressOctets prefix = octets;
    cut(prefix, network.bits);
    return prefix == network.prefix;
  });
}

}  // namespace smtpscope
