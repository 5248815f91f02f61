#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "proxy/proxy.h"

namespace smtpscope {

/// What systemd, or whatever has started this program as a service, is told: sd_notify(3), a
/// datagram each. Nothing happens where nobody wants to know. Never blocks. Not thread-safe.
class ServiceManager {
 public:
  ServiceManager();
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  bool listens() const { return socket_ >= 0; }
  /// How often it wants to hear that the program is alive, halved, so that one may be late.
  std::optional<Duration> watchdog() const { return watchdog_; }

  void ready(std::string_view status);
  void alive(std::string_view status);
  void stopping();

 private:
  void tell(std::string_view state) const;

  int socket_ = -1;
  std::string address_;  // "@" stands for the first octet of an abstract one
  std::optional<Duration> watchdog_;
};

/// The sockets that were opened for this program (sd_listen_fds(3)); a name "tls" in
/// FileDescriptorName= is for clients that speak TLS from the first octet. Taken out of the
/// environment. The Error is of what the environment says.
Result<std::vector<InheritedListener>> take_inherited_listeners();

/// To which of `routes` each socket belongs, by its name: "ROUTE", or "ROUTE.tls" for clients that
/// speak TLS from the first octet. The Error is of a socket that is nobody's.
Result<std::vector<std::vector<InheritedListener>>> share_out(
    std::vector<InheritedListener> sockets, const std::vector<std::string>& routes);

/// Messages go to the journal, which takes "<3>" before a line as its priority (sd-daemon(3)).
bool stderr_is_journal();

}  // namespace smtpscope
