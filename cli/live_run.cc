#include "cli/live_run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <random>
#include <utility>

#include "base/counted.h"
#include "base/system_error.h"
#include "cli/service_arguments.h"
#include "cli/subcommand.h"
#include "cli/terminal.h"
#include "exporters/escape.h"
#include "exporters/records/records_exporter.h"
#include "exporters/text/crowd_exporter.h"
#include "exporters/text/text_summary.h"
#include "readers/joined_source.h"
#include "timeline/state/transaction.h"

namespace smtpscope {
namespace {

std::string_view arrow() { return locale_is_utf8() ? "→" : "->"; }

std::string message_kept(std::uint64_t octets) {
  if (octets == SanitizerPolicy::kEverything) return "full";
  return octets == 0 ? "none" : std::to_string(octets);
}

/// How often the service manager is told how things are.
constexpr Duration kTellManager = std::chrono::seconds(10);

// Priorities of syslog(3).
constexpr int kErrorPriority = 3;
constexpr int kWarningPriority = 4;
constexpr int kInfoPriority = 6;

/// Octets of memory that are the process's own now; 0 where nobody tells.
std::uint64_t resident_octets() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  if (!(file >> all >> resident)) return 0;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// A UUID of version 7 (RFC 9562 5.7): sorts by time, and is nobody else's.
std::string make_run_id(WallTime started) {
  const auto ms = static_cast<std::uint64_t>(
      std::chrono::floor<std::chrono::milliseconds>(started).time_since_epoch().count());
  std::random_device device;
  const std::uint32_t a = device();
  const std::uint32_t b = device();
  const std::uint32_t c = device();
  return fmt::format("{:08x}-{:04x}-7{:03x}-{:04x}-{:04x}{:08x}", ms >> 16 & 0xffffffff,
                     ms & 0xffff, a & 0xfff, 0x8000 | (a >> 16 & 0x3fff), b & 0xffff, c);
}

}  // namespace

LiveRun::LiveRun(LiveRunOptions options)
    : options_(std::move(options)), errors_(STDERR_FILENO), journal_(stderr_is_journal()) {}

LiveRun::~LiveRun() {
  if (trace_) trace_->finish();
  page_.reset();  // its threads ask the others
}

Result<Done> LiveRun::check(const LiveRunOptions& options) {
  const ExporterKind* const format = find_exporter(options.rendering.format);
  if (format != nullptr && format->hole == nullptr) {
    return Error{fmt::format(
        "--format {} is one document that is whole only when the run is over; to "
        "follow a live run say -f jsonl, or -w FILE now and smtpscope show -f {} FILE later",
        format->name, format->name)};
  }
  if (options.web.address.empty()) return Done{};
  const auto web = WebPage::check(options.web);
  return web ? Result<Done>(Done{}) : web.error();
}

Result<std::unique_ptr<LiveRun>> LiveRun::start(LiveRunOptions options) {
  if (auto checked = check(options); !checked) return checked.error();
  std::unique_ptr<LiveRun> run(new LiveRun(std::move(options)));
  if (auto opened = run->open(); !opened) return opened.error();
  if (!run->options_.brief) run->announce();
  return run;
}

Result<Done> LiveRun::open() {
  auto loop = Loop::make();
  if (!loop) return loop.error();
  loop_ = std::move(loop.value());

  options_.policy.headline_octets = options_.policy.message_octets;
  RunInfo info;
  info.started = loop_->started();
  info.writer = "smtpscope " SMTPSCOPE_VERSION;
  info.tap = options_.tap;
  info.source = "live";
  info.credentials_kept = options_.policy.keep_credentials;
  info.message_kept = message_kept(options_.policy.message_octets);

  info.run = make_run_id(info.started);
  info.part = 1;

  if (!options_.capture.path.empty()) {
    if (auto opened = open_capture(info); !opened) return opened;
  }
  if (options_.rendering.format != kNoFormat) open_timeline(info);
  if (!options_.records.empty()) {
    auto folder = RecordFolder::open(options_.records);
    if (!folder) return folder.error();
    rows_ = std::make_unique<BackgroundRows>(std::move(folder.value()),
                                             [this](int error) { tell_of_records(error); });
    ExporterOptions chosen;
    options_.record_settings.apply(chosen);
    records_ = std::make_unique<RecordsExporter>(chosen, *rows_);
    records_->begin_run(info);
    timelines_.add(records_.get());
  }
  if (!options_.collector.url.empty()) {
    ExporterOptions chosen;
    options_.record_settings.apply(chosen);
    auto spans = SpanPush::open(options_.collector, chosen, info,
                                [this](std::string_view words) { notice(words); });
    if (!spans) return spans.error();
    spans_ = std::move(spans.value());
    timelines_.add(spans_.get());
  }
  if (!options_.web.address.empty()) {
    ExporterOptions chosen;
    chosen.rules = &options_.rules;
    chosen.filter = options_.rendering.filter.get();
    if (capture_) {
      older_ = std::make_unique<RecordedSessions>(SourceOptions{}, options_.rules, chosen);
      older_->add([name = capture_->name(), first = capture_->first_path(), run = info.run] {
        std::vector<std::string> parts = parts_of_run(run, name.existing());
        // One that it goes on with may be of a version that named no runs.
        if (parts.empty() && !name.is_pattern()) parts.push_back(first);
        return parts;
      });
    }
    std::vector<std::string> routes;
    routes.reserve(options_.routes.size());
    for (const ProxyOptions& route : options_.routes) routes.push_back(route.name);
    metrics_ = std::make_unique<RunMetrics>(
        SMTPSCOPE_VERSION, [this] { return gauges(); }, std::move(routes));
    timelines_.add(metrics_.get());
    auto page = WebPage::start(options_.web, true, chosen, older_.get(),
                               [this] { return metrics_->text(); });
    if (!page) return page.error();
    page_ = std::move(page.value());
    page_->records().begin_run(info);
    timelines_.add(&page_->records());
    octets_ = std::make_unique<PageOctets>(page_->records());
    page_watch_ = std::make_unique<PageWatch>(*page_);
  }
  std::vector<LiveWatcher*> watchers;
  if (terminal_) watchers.push_back(terminal_.get());
  if (page_watch_) watchers.push_back(page_watch_.get());
  TraceNotices& of_tracing = *this;
  trace_ = std::make_unique<LiveTrace>(options_.policy, options_.rules, capture_.get(),
                                       timelines_.all(), output_.get(), of_tracing,
                                       TraceQueue::kLimit, options_.alarm, octets_.get(), watchers);
  tracing_ = trace_.get();
  ProxyNotices& notices = *this;
  routes_ = std::make_unique<Routes>(
      *loop_, std::move(options_.routes),
      ProxyProcess::Options{.last_session = last_session_, .tick = options_.tick}, trace_.get(),
      notices);
  if (auto started = routes_->start(); !started) return started;
  stop_ = std::make_unique<StopSignals>(*loop_, *routes_, notices);
  hangup_ = SignalWatch::calling<&LiveRun::on_hangup>(*loop_, SIGHUP, this);
  status_wanted_ = SignalWatch::calling<&LiveRun::on_status_wanted>(*loop_, SIGUSR1, this);
  if (manager_.listens()) {
    stopped_ = {SignalWatch::calling<&LiveRun::on_stop>(*loop_, SIGTERM, this),
                SignalWatch::calling<&LiveRun::on_stop>(*loop_, SIGINT, this)};
    alive_ = Timer::calling<&LiveRun::on_alive>(*loop_, this);
    alive_->start_repeating(std::min(manager_.watchdog().value_or(kTellManager), kTellManager));
    alive_->let_loop_end();
  }
  return Done{};
}

/// `info` as it is for a new file; afterwards as the file has it.
Result<Done> LiveRun::open_capture(RunInfo& info) {
  auto capture =
      CaptureSeries::open(options_.capture, info, [this](std::string_view text) { warn(text); });
  if (!capture) return capture.error();
  capture_ = std::move(capture.value());
  const CaptureSeries::Begun& begun = capture_->begun();
  if (!begun.appended) return Done{};
  info = begun.run;
  loop_->count_from(info.started);
  last_session_ = begun.last_session;
  notice(fmt::format("the capture goes on behind session {}", begun.last_session));
  if (begun.cut_octets > 0) {
    notice(fmt::format("the capture had been cut off inside a line: its last {} were removed",
                       counted(begun.cut_octets, "octet")));
  }
  return Done{};
}

void LiveRun::on_status_wanted() {
  notice("status: " + status());
  for (const auto& proxy : routes_->proxies()) {
    if (proxy->options().name.empty()) continue;
    const ProxyTotals& totals = proxy->totals();
    notice(
        fmt::format("status of route {}: {} open, {} in all, {} unreachable, {} refused, {} "
                    "turned away",
                    proxy->options().name, counted(proxy->open_sessions(), "session"),
                    totals.sessions, totals.unreachable, totals.refused, totals.turned_away));
  }
}

void LiveRun::on_alive() { manager_.alive(status()); }

void LiveRun::on_stop() { manager_.stopping(); }

RunGauges LiveRun::gauges() const {
  RunGauges now;
  now.resident_octets = resident_octets();
  // The page listens before the tracing has begun.
  if (const LiveTrace* trace = tracing_.load()) {
    now.lost_events = trace->lost_so_far() + (capture_ ? capture_->lost_events() : 0);
    now.queued_octets = trace->queued();
    now.unwritten_octets = capture_ ? capture_->queued() : 0;
  }
  return now;
}

std::string LiveRun::status() const {
  const ProxyTotals totals = routes_->totals();
  const std::uint64_t lost = trace_->lost_so_far() + (capture_ ? capture_->lost_events() : 0);
  return fmt::format(
      "{} open, {} in all, {} unreachable, {} refused, {} turned away; {} from clients and {} from "
      "servers in sessions that are over; {} queued for the tracer, {} for the disk; {} missing "
      "from the record; {} MiB of memory",
      counted(routes_->open_sessions(), "session"), totals.sessions, totals.unreachable,
      totals.refused, totals.turned_away, counted(totals.octets[index(Side::kClient)], "octet"),
      counted(totals.octets[index(Side::kServer)], "octet"), counted(trace_->queued(), "octet"),
      capture_ ? capture_->queued() : 0, counted(lost, "event"),
      resident_octets() / (std::uint64_t{1} << 20));
}

/// For logrotate, or the terminal is gone. Mail goes on.
void LiveRun::on_hangup() {
  routes_->reload_certificates();
  if (!capture_) return;
  capture_->reopen();
  trace_->flush();
}

void LiveRun::open_timeline(const RunInfo& info) {
  const ExporterKind& format = *find_exporter(options_.rendering.format);
  output_ = std::make_unique<BackgroundOutput>(STDOUT_FILENO, format.hole,
                                               [this](int error) { tell_of_output(error); });
  ExporterOptions options = exporter_options(options_.rendering, options_.rules, STDOUT_FILENO);
  options_.record_settings.apply(options);  // for those formats that want them
  const bool whole = format.name == all_exporters().front().name;
  Output* output = output_.get();
  if ((whole || format.name == kBriefFormat) && can_rewrite(STDOUT_FILENO)) {
    terminal_ = std::make_unique<TerminalWatch>(options, *output_);
    output = &terminal_->text();
  }
  const bool may_be_brief = whole && !options_.rendering.full && is_terminal(STDOUT_FILENO);
  exporter_ = may_be_brief ? std::make_unique<CrowdExporter>(options, *output)
                           : format.make(options, *output);
  exporter_->begin_run(info);
  timelines_.add(exporter_.get());
}

void LiveRun::announce(const Proxy& proxy) {
  const ProxyOptions& options = proxy.options();
  const std::string server = options.transparent == Transparent::kNo
                                 ? options.upstream.text()
                                 : "where the client wanted to go";
  const std::string route = options.name.empty() ? "" : fmt::format("route {}: ", options.name);
  for (const SocketAddress& address : proxy.addresses()) {
    notice(fmt::format("{}listening on {} {} {}", route, address.text(), arrow(), server));
  }
  for (const SocketAddress& address : proxy.tls_addresses()) {
    notice(fmt::format("{}listening on {} {} {}, TLS from the first octet", route, address.text(),
                       arrow(), server));
  }
}

void LiveRun::announce() {
  const auto& proxies = routes_->proxies();
  for (const auto& proxy : proxies) announce(*proxy);
  if (page_) notice(fmt::format("page: {}", page_->address()));
  // What the host lacks it lacks for all of them.
  const auto tproxy = std::find_if(proxies.begin(), proxies.end(), [](const auto& proxy) {
    return proxy->options().transparent == Transparent::kTproxy;
  });
  if (tproxy != proxies.end()) {
    for (const std::string& missing : missing_surroundings((*tproxy)->options())) warn(missing);
  }
  if (capture_) notice(fmt::format("capture: {}", capture_->first_path()));
  if (rows_) notice(fmt::format("records: {}", options_.records));
  if (spans_) notice(fmt::format("spans: {}", options_.collector.shown));
  if (options_.policy.keep_credentials) {
    notice("credentials are kept: whoever reads the capture can log in with them");
  }
}

int LiveRun::serve() {
  manager_.ready(status());
  loop_->run();
  stop_.reset();
  hangup_.reset();
  status_wanted_.reset();
  for (SignalWatchPtr& each : stopped_) each.reset();
  alive_.reset();
  trace_->finish();
  if (page_) {
    page_->records().end_run();
    page_->flush();
  }
  if (terminal_) terminal_->end();
  if (exporter_) {
    exporter_->end_run();
    exporter_->finish();
    output_->close();
    if (output_->dropped() > 0) {
      notice(
          fmt::format("{} of the live timeline dropped: not written, or the terminal was too slow",
                      counted(output_->dropped(), "octet")));
    }
  }
  const bool whole_records = close_records();
  const bool whole_spans = close_spans();
  const LiveTrace::Totals traced = trace_->totals();
  if (traced.lost_events > 0) {
    say(kErrorPriority,
        fmt::format("tracing could not keep up: {} with {} from the wire are missing from the "
                    "record; mail was not delayed",
                    counted(traced.lost_events, "event"), counted(traced.lost_octets, "octet")));
  }
  if (traced.failed_sessions > 0) {
    notice(fmt::format("tracing failed in {}: their records end early; their mail went on",
                       counted(traced.failed_sessions, "session")));
  }
  const bool traced_all = traced.lost_events + traced.failed_sessions == 0;
  const int code = traced_all && whole_records && whole_spans ? kExitFine : kExitFailure;
  if (!capture_) return code;
  const bool whole = capture_->close();
  const CaptureWriter::Totals totals = capture_->totals();
  if (whole && totals.lost_events == 0) return code;
  say(kErrorPriority,
      fmt::format(
          "the capture has holes: {} not written, with {} from the wire{}{}; mail was not delayed",
          counted(totals.lost_events, "event"), counted(totals.lost_octets, "octet"),
          totals.trouble.empty() ? "" : ": ", totals.trouble));
  return kExitFailure;
}

/// False: rows are missing.
bool LiveRun::close_records() {
  if (!records_) return true;
  records_->end_run();
  records_->finish();
  const bool whole = rows_->close();
  if (!whole) {
    notice(fmt::format("the records have holes: {} not written; mail was not delayed",
                       counted(rows_->lost(), "row")));
  }
  return whole;
}

/// False: the collector has not got all.
bool LiveRun::close_spans() {
  if (!spans_) return true;
  const bool whole = spans_->queue().close();
  if (!whole) {
    notice(fmt::format("{} did not reach {}; mail was not delayed",
                       counted(spans_->queue().lost(), "span"), options_.collector.shown));
  }
  return whole;
}

void LiveRun::print_totals() {
  if (!options_.brief) tell_totals();
  routes_.reset();  // the last words of its key log
  errors_.close();
}

void LiveRun::tell_totals() {
  const ProxyTotals totals = routes_->totals();
  std::string text =
      fmt::format("{}, {} from clients, {} from the server", counted(totals.sessions, "session"),
                  counted(totals.octets[index(Side::kClient)], "octet"),
                  counted(totals.octets[index(Side::kServer)], "octet"));
  if (totals.unreachable > 0) text += fmt::format("; server unreachable: {}", totals.unreachable);
  if (totals.turned_away > 0) text += fmt::format("; turned away: {}", totals.turned_away);
  notice(text);
  for (const auto& proxy : routes_->proxies()) {
    if (proxy->options().name.empty()) continue;
    notice(fmt::format("route {}: {}", proxy->options().name,
                       counted(proxy->totals().sessions, "session")));
  }

  // Where the text timeline was shown it has the table of several sessions at its end.
  const RunSummary& summary = trace_->summary();
  const bool shown = options_.rendering.format == all_exporters().front().name;
  if (totals.sessions > 0 && (!shown || summary.sessions() < 2)) {
    const std::string outcomes = by_outcome(summary);
    notice(fmt::format("transactions: {}", outcomes.empty() ? "none" : outcomes));
  }
  if (!shown && summary.sessions() > 1) {
    ExporterOptions plain = exporter_options(options_.rendering, options_.rules, STDERR_FILENO);
    errors_.write(summary_table(summary, TextStyle(plain)));
  }
  if (totals.discarded > 0) {
    notice(fmt::format("the sink discarded {}", counted(totals.discarded, "message")));
  }
}

/// On the thread of the output.
void LiveRun::tell_of_output(int error) {
  // A reader that has gone has gone; it may be `| head`, and whoever made it knows. A stream that
  // was closed from the beginning nobody wants.
  if (error == EPIPE || error == EBADF) return;
  if (error == 0) {
    notice("the live timeline is written again");
  } else {
    notice(
        fmt::format("the live timeline cannot be written: {}; mail flows on", system_words(error)));
  }
}

/// On the thread of the rows.
void LiveRun::tell_of_records(int error) {
  if (error == 0) {
    notice(fmt::format("records are written again to {}", options_.records));
  } else {
    notice(
        fmt::format("cannot write records to {}: {}; mail flows on, rows wait as long as there is "
                    "room",
                    options_.records, system_words(error)));
  }
}

void LiveRun::notice(std::string_view text) { say(kInfoPriority, text); }

void LiveRun::warn(std::string_view text) { say(kWarningPriority, text); }

void LiveRun::say(int priority, std::string_view text) {
  const bool on_bottom_line = terminal_ != nullptr && can_rewrite(STDERR_FILENO);
  const std::lock_guard lock(errors_mutex_);
  errors_.write(fmt::format(
      "{}{}smtpscope: {}\n", on_bottom_line ? BottomLine::kClear : "",
      journal_ ? fmt::format("<{}>", priority) : std::string(),
      escape(text, Wording::kOurs, locale_is_utf8() ? Charset::kUtf8 : Charset::kAscii)));
  errors_.flush();
}

}  // namespace smtpscope
