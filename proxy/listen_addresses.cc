#include "proxy/listen_addresses.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

namespace smtpscope {

Result<std::vector<SocketAddress>> look_up(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int fault = getaddrinfo(host.c_str(), nullptr, &hints, &found); fault != 0) {
    return Error{gai_strerror(fault)};
  }
  std::vector<SocketAddress> addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    if (each->ai_family != AF_INET && each->ai_family != AF_INET6) continue;
    addresses.emplace_back(each->ai_addr).set_port(port);
  }
  freeaddrinfo(found);
  return addresses;
}

Result<std::vector<SocketAddress>> listen_addresses(const Endpoint& endpoint) {
  std::vector<SocketAddress> addresses;
  const std::vector<std::string> hosts = endpoint.host.empty()
                                             ? std::vector<std::string>{"127.0.0.1", "::1"}
                                             : std::vector<std::string>{endpoint.host};
  for (const std::string& host : hosts) {
    auto found = look_up(host, endpoint.port);
    if (!found) {
      return Error{fmt::format("cannot listen on {}: {}", endpoint.text(), found.error().message)};
    }
    addresses.insert(addresses.end(), found.value().begin(), found.value().end());
  }
  return addresses;
}

Result<Done> check_no_loop(const Endpoint& server, const OwnListeners& own) {
  if (server.kind != Endpoint::Kind::kTcp || !own.has_port(server.port)) return Done{};
  const auto addresses = look_up(server.host, server.port);
  if (!addresses) return Done{};
  for (const SocketAddress& address : addresses.value()) {
    const SocketAddress* listener = own.reached_by(address);
    if (listener == nullptr) continue;
    return Error{fmt::format(
        "will not use {} as the server: {} is where smtpscope itself listens ({}), so that every "
        "session would connect to smtpscope again. Give --upstream the address and port of the "
        "mail server, or --listen another port",
        server.text(), address.text(), listener->text())};
  }
  return Done{};
}

}  // namespace smtpscope
