#pragma once

#include <cstddef>

#include "base/time.h"
#include "net/loop.h"
#include "net/signal_watch.h"

namespace smtpscope {

class ProxyNotices;

/// What is stopped by signals.
class Stoppable {
 public:
  virtual ~Stoppable() = default;
  /// Accepts no more clients and ends when the sessions have, at the latest after the grace
  /// period.
  virtual void stop() = 0;
  /// Ends all sessions now.
  virtual void stop_now() = 0;
  virtual std::size_t open_sessions() const = 0;
  /// How long stop() leaves them.
  virtual Duration grace() const = 0;
};

/// SIGINT and SIGTERM stop a proxy: the first lets its sessions end, the second ends them. Does
/// not keep the loop alive.
class StopSignals {
 public:
  /// All must outlive it.
  StopSignals(Loop& loop, Stoppable& proxy, ProxyNotices& notices);

 private:
  void on_signal();

  Stoppable& proxy_;
  ProxyNotices& notices_;
  SignalWatchPtr interrupt_;
  SignalWatchPtr terminate_;
  bool seen_ = false;
};

}  // namespace smtpscope
