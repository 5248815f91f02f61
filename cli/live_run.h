#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "capture/capture_series.h"
#include "capture/sanitizer.h"
#include "cli/record_arguments.h"
#include "cli/recorded_sessions.h"
#include "cli/rendering.h"
#include "cli/service_manager.h"
#include "cli/web_page.h"
#include "exporters/exporter.h"
#include "exporters/metrics/run_metrics.h"
#include "exporters/otlp/collector_settings.h"
#include "exporters/otlp/span_push.h"
#include "exporters/records/background_rows.h"
#include "exporters/text/bottom_line.h"
#include "exporters/text/open_sessions_line.h"
#include "net/loop.h"
#include "proxy/proxy.h"
#include "proxy/routes.h"
#include "proxy/stop_signals.h"
#include "timeline/rule_set.h"
#include "trace/background_output.h"
#include "trace/live_trace.h"
#include "trace/live_watcher.h"

namespace smtpscope {

struct LiveRunOptions {
  std::vector<ProxyOptions> routes;              // at least one; several have names
  Duration tick = ProxyProcess::Options().tick;  // how often it is asked who is silent
  CaptureSeriesOptions capture;                  // path "" for none
  std::string records;                           // folder; "" for none
  CollectorSettings collector;                   // of spans; its url "" for none
  RecordSettings record_settings;
  SanitizerPolicy policy;
  std::string tap;              // label of the vantage point
  Rendering rendering;          // of the live timeline; format "none" for none
  RuleSet rules;                // that annotate it
  std::vector<Duration> alarm;  // lengths at which silences are told while they last
  WebArguments web;             // where the live page is served, if it is
  bool brief = false;           // does not say what listens where, nor what the run has seen
};

/// The name of the format that shows nothing.
inline constexpr std::string_view kNoFormat = "none";

/// The timeline as text, as rows, as spans and as a page.
class TimelineSinks : public TimelineSink {
 public:
  void add(TimelineSink* sink) { sinks_.push_back(sink); }
  /// nullptr if there is none.
  TimelineSink* all() { return sinks_.empty() ? nullptr : this; }
  void on_timeline(const TimelineEvent& event) override {
    for (TimelineSink* sink : sinks_) sink->on_timeline(event);
  }

 private:
  std::vector<TimelineSink*> sinks_;
};

/// What goes into the capture, to the page.
class PageOctets : public WireSink {
 public:
  explicit PageOctets(Exporter& page) : page_(page) {}
  void on_wire(const WireEvent& event) override { page_.on_record(event); }

 private:
  Exporter& page_;
};

/// Records and the octets of open sessions, to the page, while they go on.
class PageWatch : public LiveWatcher {
 public:
  explicit PageWatch(WebPage& page) : page_(page) {}
  void on_tick() override { page_.records().write_open(); }
  void on_flush() override { page_.flush(); }

 private:
  WebPage& page_;
};

/// Below the timeline on a terminal: which sessions are open, and what they wait for.
class TerminalWatch : public LiveWatcher {
 public:
  TerminalWatch(const ExporterOptions& options, Output& terminal)
      : style_(options), line_(style_), bottom_(terminal) {}
  Output& text() { return bottom_; }
  void on_open(SessionId session, const std::optional<SilenceWatch::Wait>& wait) override {
    line_.add(session, wait);
  }
  void on_tick() override { bottom_.show(line_.take()); }
  void end() { bottom_.show({}); }

 private:
  const TextStyle style_;
  OpenSessionsLine line_;
  BottomLine bottom_;
};

/// A proxy with its tap, capture, live timeline and signals: what `proxy` and `demo` have in
/// common. Says on stderr what listens where and what the operator should know.
class LiveRun : private ProxyNotices, private TraceNotices {
 public:
  /// What start() would refuse, as far as that shows in the options.
  static Result<Done> check(const LiveRunOptions& options);
  /// Everything is open and listening afterwards; SIGINT and SIGTERM stop it.
  static Result<std::unique_ptr<LiveRun>> start(LiveRunOptions options);
  ~LiveRun() override;

  Loop& loop() { return *loop_; }
  Routes& routes() { return *routes_; }
  const std::string& capture_path() const { return options_.capture.path; }
  /// Where the live page is; "" if none is served.
  std::string page_address() const { return page_ ? page_->address() : ""; }

  /// Serves until stopped, then writes everything out. Gives the exit code.
  int serve();
  /// Tells the operator, before print_totals().
  void tell(std::string_view text) { notice(text); }
  /// Prints what the run has seen on stderr, unless it is to be brief. Nothing is said after it.
  void print_totals();

 private:
  explicit LiveRun(LiveRunOptions options);

  /// From any thread.
  void notice(std::string_view text) override;
  void warn(std::string_view text) override;
  /// `priority`: as syslog(3) has it.
  void say(int priority, std::string_view text);
  void tell_of_output(int error);
  void tell_of_records(int error);
  bool close_records();
  bool close_spans();
  Result<Done> open();
  Result<Done> open_capture(RunInfo& info);
  void on_hangup();
  void open_timeline(const RunInfo& info);
  void on_status_wanted();
  void on_alive();
  void on_stop();
  std::string status() const;
  void announce(const Proxy& proxy);
  RunGauges gauges() const;
  void announce();
  void tell_totals();

  LiveRunOptions options_;
  SessionId last_session_ = kWholeRun;  // of the capture that is gone on with
  std::mutex errors_mutex_;
  BackgroundOutput errors_;  // stderr may be stalled too
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<CaptureSeries> capture_;
  std::unique_ptr<BackgroundOutput> output_;
  std::unique_ptr<TerminalWatch> terminal_;
  std::unique_ptr<Exporter> exporter_;
  std::unique_ptr<BackgroundRows> rows_;
  std::unique_ptr<Exporter> records_;  // writes them
  std::unique_ptr<SpanPush> spans_;
  std::unique_ptr<RecordedSessions> older_;  // for the page
  std::unique_ptr<RunMetrics> metrics_;      // asked by the page's threads
  std::unique_ptr<WebPage> page_;
  TimelineSinks timelines_;  // output and page
  std::unique_ptr<PageOctets> octets_;
  std::unique_ptr<PageWatch> page_watch_;
  std::unique_ptr<LiveTrace> trace_;
  std::atomic<const LiveTrace*> tracing_{nullptr};  // for the page's threads
  std::unique_ptr<Routes> routes_;
  std::unique_ptr<StopSignals> stop_;
  SignalWatchPtr hangup_;
  SignalWatchPtr status_wanted_;
  std::array<SignalWatchPtr, 2> stopped_;  // for the service manager
  ServiceManager manager_;
  TimerPtr alive_;
  const bool journal_;
};

}  // namespace smtpscope
