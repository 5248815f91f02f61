#pragma once

#include <uv.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "net/address.h"
#include "net/loop.h"

namespace smtpscope {

using Addresses = std::shared_ptr<const std::vector<SocketAddress>>;

class ResolverEvents {
 public:
  virtual ~ResolverEvents() = default;
  virtual void on_resolved(const Addresses& addresses) = 0;
  virtual void on_not_resolved(std::string_view reason) = 0;
};

/// Finds the addresses of one host, on libuv's thread pool. Sessions that ask at the same time
/// share a lookup, and its answer serves those that follow within kReuse (or as long as it was
/// told). Must outlive those who asked.
class Resolver {
 public:
  /// Long enough that a burst of sessions does not become a burst of DNS queries, short enough
  /// that nobody waits for a changed address.
  static constexpr Duration kReuse = std::chrono::seconds(5);

  Resolver(Loop& loop, std::string host, std::uint16_t port, Duration reuse = kReuse);
  /// Answers with these and never looks anything up.
  Resolver(Loop& loop, std::vector<SocketAddress> addresses);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// The addresses if they are known now (the host is numeric, or was just looked up); else
  /// nullptr, and `asker` is told later.
  Addresses ask(ResolverEvents& asker);
  /// `asker` is not told any more.
  void forget(ResolverEvents& asker);

 private:
  struct Lookup;

  void finish(int status, addrinfo* found);

  Loop& loop_;
  std::string host_;
  std::uint16_t port_ = 0;
  Duration reuse_ = kReuse;
  bool fixed_ = false;  // known_ holds for ever
  Addresses known_;
  Time known_since_;
  std::vector<ResolverEvents*> askers_;
  Lookup* lookup_ = nullptr;  // the one under way; frees itself
};

}  // namespace smtpscope
