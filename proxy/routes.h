#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "proxy/proxy.h"
#include "proxy/proxy_process.h"
#include "proxy/stop_signals.h"

namespace smtpscope {

/// The routes of a process, a Proxy each: one observer hears of all of them, no number is given to
/// two sessions, and no route leads to another one's listener. What the proxies have to tell is
/// told with the route's name in front, if it has one. Not thread-safe.
class Routes : public Stoppable {
 public:
  /// `routes`: at least one; where there are several, each has a name. The references must outlive
  /// this; `observer` may be nullptr.
  Routes(Loop& loop, std::vector<ProxyOptions> routes, ProxyProcess::Options process,
         RelayObserver* observer, ProxyNotices& notices);

  /// What start() would refuse of one of them for the sake of the others, as far as that shows
  /// without a socket opened. Names are looked up only where a port makes it possible.
  static Result<Done> check(const std::vector<ProxyOptions>& routes, std::size_t which);

  /// Has all of them listen. On an Error the program is to end.
  Result<Done> start();

  void stop() override;
  void stop_now() override;
  std::size_t open_sessions() const override;
  Duration grace() const override { return proxies_.front()->grace(); }

  void reload_certificates();
  /// Of all of them.
  ProxyTotals totals() const;
  const std::vector<std::unique_ptr<Proxy>>& proxies() const { return proxies_; }

 private:
  /// Puts the route's name in front.
  class NamedNotices : public ProxyNotices {
   public:
    NamedNotices(const std::string& route, ProxyNotices& notices)
        : prefix_("route " + route + ": "), notices_(notices) {}
    void notice(std::string_view text) override { notices_.notice(prefix_ + std::string(text)); }
    void warn(std::string_view text) override { notices_.warn(prefix_ + std::string(text)); }

   private:
    const std::string prefix_;
    ProxyNotices& notices_;
  };

  ProxyProcess process_;
  std::vector<std::unique_ptr<NamedNotices>> notices_;
  std::vector<std::unique_ptr<Proxy>> proxies_;
};

}  // namespace smtpscope
