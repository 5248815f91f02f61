#pragma once

#include <csignal>

#include "proxy/handle_ptr.h"
#include "proxy/loop.h"
#include "proxy/proxy.h"

namespace smtpscope {

class StopSignals;
using StopSignalsPtr = HandlePtr<StopSignals>;

/// SIGINT and SIGTERM stop a proxy: the first lets its sessions end, the second ends them. Does
/// not keep the loop alive.
class StopSignals {
 public:
  /// `proxy` must outlive it.
  static StopSignalsPtr make(Loop& loop, Proxy& proxy, ProxyNotices& notices);

  /// See HandleCloser.
  void release();

 private:
  StopSignals(Loop& loop, Proxy& proxy, ProxyNotices& notices);
  ~StopSignals() = default;
  static void on_signal(uv_signal_t* handle, int number);

  Proxy* proxy_;
  ProxyNotices& notices_;
  uv_signal_t interrupt_;
  uv_signal_t terminate_;
  bool seen_ = false;
  int open_handles_ = 2;
};

}  // namespace smtpscope
