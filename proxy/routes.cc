#include "proxy/routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "proxy/listen_addresses.h"

namespace smtpscope {
namespace {

/// Sockets cannot be bound to both.
bool collide(const SocketAddress& one, const SocketAddress& other) {
  OwnListeners first, second;
  first.add(one);
  second.add(other);
  return first.reached_by(other) != nullptr || second.reached_by(one) != nullptr;
}

/// Port 0 is none yet.
Result<OwnListeners> listeners_of(const ProxyOptions& route) {
  OwnListeners all;
  for (const std::vector<Endpoint>* endpoints : {&route.listen, &route.listen_tls}) {
    for (const Endpoint& endpoint : *endpoints) {
      auto addresses = listen_addresses(endpoint);
      if (!addresses) return addresses.error();
      for (const SocketAddress& address : addresses.value()) {
        if (address.port() != 0) all.add(address);
      }
    }
  }
  return all;
}

Result<Done> check_free(const std::vector<Endpoint>& endpoints, std::string_view option,
                        const ProxyOptions& other) {
  if (endpoints.empty()) return Done{};  // nothing is looked up for them
  auto taken = listeners_of(other);
  if (!taken) return Done{};  // its own check tells
  for (const Endpoint& endpoint : endpoints) {
    auto addresses = listen_addresses(endpoint);
    if (!addresses) return addresses.error();
    for (const SocketAddress& address : addresses.value()) {
      for (const SocketAddress& theirs : taken.value().all()) {
        if (address.port() == 0 || !collide(address, theirs)) continue;
        return Error{fmt::format("{} '{}': route {} listens on {}", option, endpoint.text(),
                                 other.name, theirs.text())};
      }
    }
  }
  return Done{};
}

}  // namespace

Routes::Routes(Loop& loop, std::vector<ProxyOptions> routes, ProxyProcess::Options process,
               RelayObserver* observer, ProxyNotices& notices)
    : process_(loop, observer, process) {
  assert(!routes.empty());
  proxies_.reserve(routes.size());
  notices_.reserve(routes.size());
  for (ProxyOptions& route : routes) {
    ProxyNotices* of_route = &notices;
    if (!route.name.empty()) {
      notices_.push_back(std::make_unique<NamedNotices>(route.name, notices));
      of_route = notices_.back().get();
    }
    proxies_.push_back(std::make_unique<Proxy>(process_, std::move(route), *of_route));
  }
}

Result<Done> Routes::check(const std::vector<ProxyOptions>& routes, std::size_t which) {
  const ProxyOptions& route = routes[which];
  for (std::size_t before = 0; before < which; ++before) {
    if (auto done = check_free(route.listen, "--listen", routes[before]); !done) return done;
    if (auto done = check_free(route.listen_tls, "--listen-tls", routes[before]); !done)
      return done;
    if (!route.tls.key_log.empty() && route.tls.key_log == routes[before].tls.key_log) {
      return Error{
          fmt::format("--keylog '{}': route {} writes it", route.tls.key_log, routes[before].name)};
    }
  }
  if (route.transparent != Transparent::kNo) return Done{};
  for (const ProxyOptions& each : routes) {
    auto listeners = listeners_of(each);
    if (!listeners) continue;
    if (auto done = check_no_loop(route.upstream, listeners.value()); !done) return done;
  }
  return Done{};
}

Result<Done> Routes::start() {
  const auto named = [](const Proxy& proxy, const Error& error) {
    const std::string& name = proxy.options().name;
    return name.empty() ? error : Error{fmt::format("route {}: {}", name, error.message)};
  };
  for (const auto& proxy : proxies_) {
    if (auto done = proxy->start(); !done) return named(*proxy, done.error());
  }
  // Now that all listen.
  for (const auto& proxy : proxies_) {
    if (auto done = proxy->check_no_loop(); !done) return named(*proxy, done.error());
  }
  return Done{};
}

void Routes::stop() {
  for (const auto& proxy : proxies_) proxy->stop();
}

void Routes::stop_now() {
  // None is to let in whom another one's session leaves room to.
  stop();
  for (const auto& proxy : proxies_) proxy->stop_now();
}

std::size_t Routes::open_sessions() const {
  std::size_t sum = 0;
  for (const auto& proxy : proxies_) sum += proxy->open_sessions();
  return sum;
}

void Routes::reload_certificates() {
  for (const auto& proxy : proxies_) proxy->reload_certificates();
}

ProxyTotals Routes::totals() const {
  ProxyTotals sum;
  for (const auto& proxy : proxies_) {
    const ProxyTotals& its = proxy->totals();
    sum.sessions += its.sessions;
    sum.turned_away += its.turned_away;
    sum.unreachable += its.unreachable;
    sum.refused += its.refused;
    sum.discarded += its.discarded;
    for (std::size_t side = 0; side < sum.octets.size(); ++side) {
      sum.octets[side] += its.octets[side];
    }
  }
  return sum;
}

}  // namespace smtpscope
