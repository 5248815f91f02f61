#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "capture/capture_writer.h"
#include "capture/screen.h"
#include "cli/background_output.h"
#include "cli/live_trace.h"
#include "cli/rendering.h"
#include "exporters/exporter.h"
#include "proxy/loop.h"
#include "proxy/proxy.h"
#include "proxy/stop_signals.h"
#include "timeline/rule_set.h"

namespace smtpscope {

struct LiveRunOptions {
  ProxyOptions proxy;
  std::string capture;  // path; "" for none
  bool force = false;   // overwrite it
  ScreenPolicy policy;
  std::string tap;      // label of the vantage point
  Rendering rendering;  // of the live timeline; format "none" for none
  RuleSet rules;        // that annotate it
};

/// The name of the format that shows nothing.
inline constexpr std::string_view kNoFormat = "none";

/// A proxy with its tap, capture, live timeline and signals: what `proxy` and `demo` have in
/// common. Says on stderr what listens where and what the operator should know.
class LiveRun : private ProxyNotices {
 public:
  /// Everything is open and listening afterwards; SIGINT and SIGTERM stop it.
  static Result<std::unique_ptr<LiveRun>> start(LiveRunOptions options);
  ~LiveRun() override;

  Loop& loop() { return *loop_; }
  Proxy& proxy() { return *proxy_; }
  const std::string& capture_path() const { return options_.capture; }

  /// Serves until stopped, then writes everything out. Gives the exit code.
  int serve();
  /// Prints what the run has seen on stderr.
  void print_totals();

 private:
  explicit LiveRun(LiveRunOptions options);

  void notice(std::string_view text) override;
  Result<Done> open();
  void announce();

  LiveRunOptions options_;
  BackgroundOutput errors_;  // stderr may be stalled too
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<CaptureWriter> capture_;
  std::unique_ptr<BackgroundOutput> output_;
  std::unique_ptr<Exporter> exporter_;
  std::unique_ptr<LiveTrace> trace_;
  std::unique_ptr<Proxy> proxy_;
  StopSignalsPtr signals_;
};

}  // namespace smtpscope
