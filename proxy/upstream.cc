#include "proxy/upstream.h"

#include <cassert>
#include <utility>
#include <vector>

namespace smtpscope {

UpstreamPtr Upstreams::find(const Endpoint& endpoint) {
  assert(!endpoint.is_local_server());
  std::string name = endpoint.text();
  if (const auto found = known_.find(name); found != known_.end()) {
    if (UpstreamPtr upstream = found->second.lock()) return upstream;
  }
  std::erase_if(known_, [](const auto& each) { return each.second.expired(); });
  auto made = std::make_shared<Upstream>();
  made->endpoint = endpoint;
  made->name = name;
  made->connect_timeout = connect_timeout_;
  made->own = &own_;
  if (endpoint.kind == Endpoint::Kind::kTcp) {
    made->tls_name = endpoint.host;
    made->resolver = std::make_unique<Resolver>(loop_, endpoint.host, endpoint.port);
  }
  known_[std::move(name)] = made;
  return made;
}

UpstreamPtr Upstreams::fixed(const std::string& name, const SocketAddress& address) {
  auto made = std::make_shared<Upstream>();
  made->endpoint = parse_upstream(address.text()).value();
  made->name = name;
  made->connect_timeout = connect_timeout_;
  made->own = &own_;
  made->resolver = std::make_unique<Resolver>(loop_, std::vector{address});
  return made;
}

}  // namespace smtpscope
