#pragma once

#include "net/loop.h"
#include "net/signal_watch.h"
#include "proxy/proxy.h"

namespace smtpscope {

/// SIGINT and SIGTERM stop a proxy: the first lets its sessions end, the second ends them. Does
/// not keep the loop alive.
class StopSignals {
 public:
  /// All must outlive it.
  StopSignals(Loop& loop, Proxy& proxy, ProxyNotices& notices);

 private:
  void on_signal();

  Proxy& proxy_;
  ProxyNotices& notices_;
  SignalWatchPtr interrupt_;
  SignalWatchPtr terminate_;
  bool seen_ = false;
};

}  // namespace smtpscope
