#include "net/resolver.h"

#include <netdb.h>

#include <algorithm>
#include <utility>

namespace smtpscope {

/// A lookup under way. Outlives the resolver if need be: libuv cannot always cancel it.
struct Resolver::Lookup {
  uv_getaddrinfo_t request;
  Resolver* resolver;
};

Resolver::Resolver(Loop& loop, std::string host, std::uint16_t port, Duration reuse)
    : loop_(loop), host_(std::move(host)), port_(port), reuse_(reuse) {
  if (const auto address = SocketAddress::from_numeric(host_, port_)) {
    fixed_ = true;
    known_ = std::make_shared<const std::vector<SocketAddress>>(1, *address);
  }
}

Resolver::Resolver(Loop& loop, std::vector<SocketAddress> addresses)
    : loop_(loop),
      fixed_(true),
      known_(std::make_shared<const std::vector<SocketAddress>>(std::move(addresses))) {}

Resolver::~Resolver() {
  if (lookup_ == nullptr) return;
  lookup_->resolver = nullptr;
  uv_cancel(reinterpret_cast<uv_req_t*>(&lookup_->request));
}

Addresses Resolver::ask(ResolverEvents& asker) {
  if (known_ && (fixed_ || loop_.now() - known_since_ < reuse_)) return known_;
  askers_.push_back(&asker);
  if (lookup_ != nullptr) return nullptr;

  lookup_ = new Lookup{{}, this};
  lookup_->request.data = lookup_;
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  // Fails only when memory or the host name is unusable; told through the same path.
  const int fault = uv_getaddrinfo(
      loop_.uv(), &lookup_->request,
      [](uv_getaddrinfo_t* request, int status, addrinfo* found) {
        auto* lookup = static_cast<Lookup*>(request->data);
        if (lookup->resolver != nullptr) lookup->resolver->finish(status, found);
        uv_freeaddrinfo(found);
        delete lookup;
      },
      host_.c_str(), nullptr, &hints);
  if (fault != 0) {
    delete std::exchange(lookup_, nullptr);
    forget(asker);
    asker.on_not_resolved(uv_strerror(fault));
  }
  return nullptr;
}

void Resolver::forget(ResolverEvents& asker) { std::erase(askers_, &asker); }

void Resolver::finish(int status, addrinfo* found) {
  lookup_ = nullptr;
  std::vector<SocketAddress> addresses;
  for (const addrinfo* each = found; status == 0 && each != nullptr; each = each->ai_next) {
    if (each->ai_family != AF_INET && each->ai_family != AF_INET6) continue;
    addresses.emplace_back(each->ai_addr).set_port(port_);
  }
  Addresses answer;
  if (!addresses.empty()) {
    answer = std::make_shared<const std::vector<SocketAddress>>(std::move(addresses));
    known_ = answer;
    known_since_ = loop_.now();
  }
  // An asker that is told may make others forget: take them one by one.
  while (!askers_.empty()) {
    ResolverEvents* asker = askers_.front();
    askers_.erase(askers_.begin());
    if (answer) {
      asker->on_resolved(answer);
    } else {
      asker->on_not_resolved(status != 0 ? uv_strerror(status) : "it has no address");
    }
  }
}

}  // namespace smtpscope
