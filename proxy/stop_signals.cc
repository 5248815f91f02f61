#include "proxy/stop_signals.h"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <utility>

#include "base/counted.h"
#include "proxy/proxy.h"

namespace smtpscope {

StopSignals::StopSignals(Loop& loop, Stoppable& proxy, ProxyNotices& notices)
    : proxy_(proxy),
      notices_(notices),
      interrupt_(SignalWatch::calling<&StopSignals::on_signal>(loop, SIGINT, this)),
      terminate_(SignalWatch::calling<&StopSignals::on_signal>(loop, SIGTERM, this)) {}

void StopSignals::on_signal() {
  if (std::exchange(seen_, true)) {
    proxy_.stop_now();
    return;
  }
  proxy_.stop();
  if (const std::size_t open = proxy_.open_sessions(); open > 0) {
    notices_.notice(fmt::format("waiting up to {} s for {} to end; a second signal ends {} at once",
                                std::chrono::duration<double>(proxy_.grace()).count(),
                                counted(open, "open session"), open == 1 ? "it" : "them"));
  }
}

}  // namespace smtpscope
