#include "net/own_listeners.h"

#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>

namespace smtpscope {
namespace {

/// A connection to no address in particular goes to the loopback.
SocketAddress where_it_goes(const SocketAddress& target) {
  const SocketAddress plain = target.unmapped();
  if (!plain.is_wildcard()) return plain;
  return *SocketAddress::from_numeric(plain.family() == AF_INET6 ? "::1" : "127.0.0.1",
                                      plain.port());
}

}  // namespace

bool is_of_this_host(SocketAddress address) {
  const int descriptor = ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return false;
  address.set_port(0);
  const socklen_t length =
      address.family() == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  const bool bound = ::bind(descriptor, address.get(), length) == 0;
  ::close(descriptor);
  return bound;
}

const SocketAddress* OwnListeners::reached_by(const SocketAddress& target) const {
  if (!has_port(target.port())) return nullptr;
  const SocketAddress there = where_it_goes(target);
  for (const SocketAddress& listener : addresses_) {
    if (listener.port() != there.port()) continue;
    if (listener.is_wildcard()) {
      // [::] takes IPv4 as well, unless the host is set up otherwise.
      const bool family = listener.family() == AF_INET6 || there.family() == AF_INET;
      if (family && is_of_this_host(there)) return &listener;
    } else if (listener.text() == there.text()) {
      return &listener;
    }
  }
  return nullptr;
}

bool OwnListeners::may_come_back(const SocketAddress& target) const {
  return has_port(target.port()) && is_of_this_host(where_it_goes(target));
}

bool OwnListeners::has_port(std::uint16_t port) const {
  return std::ranges::any_of(addresses_,
                             [&](const SocketAddress& each) { return each.port() == port; });
}

}  // namespace smtpscope
