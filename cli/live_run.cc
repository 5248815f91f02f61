#include "cli/live_run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "cli/subcommand.h"
#include "cli/terminal.h"
#include "exporters/escape.h"
#include "exporters/text_summary.h"
#include "timeline/transaction.h"

namespace smtpscope {
namespace {

std::string_view arrow() { return locale_is_utf8() ? "→" : "->"; }

std::string message_kept(std::uint64_t octets) {
  if (octets == ScreenPolicy::kEverything) return "full";
  return octets == 0 ? "none" : std::to_string(octets);
}

std::string count(std::uint64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

}  // namespace

LiveRun::LiveRun(LiveRunOptions options) : options_(std::move(options)), errors_(STDERR_FILENO) {}

LiveRun::~LiveRun() = default;

Result<std::unique_ptr<LiveRun>> LiveRun::start(LiveRunOptions options) {
  std::unique_ptr<LiveRun> run(new LiveRun(std::move(options)));
  if (auto opened = run->open(); !opened) return opened.error();
  run->announce();
  return run;
}

Result<Done> LiveRun::open() {
  auto loop = Loop::make();
  if (!loop) return loop.error();
  loop_ = std::move(loop.value());

  RunInfo info;
  info.started = loop_->started();
  info.writer = "smtpscope " SMTPSCOPE_VERSION;
  info.tap = options_.tap;
  info.source = "live";
  info.credentials_kept = options_.policy.keep_credentials;
  info.message_kept = message_kept(options_.policy.message_octets);

  if (!options_.capture.empty()) {
    auto capture = CaptureWriter::create(options_.capture, options_.force, info);
    if (!capture) return capture.error();
    capture_ = std::move(capture.value());
  }
  if (options_.rendering.format != kNoFormat) {
    output_ = std::make_unique<BackgroundOutput>(STDOUT_FILENO);
    exporter_ =
        find_exporter(options_.rendering.format)
            ->make(exporter_options(options_.rendering, options_.rules, STDOUT_FILENO), *output_);
    exporter_->begin_run(info);
  }
  trace_ = std::make_unique<LiveTrace>(options_.policy, options_.rules, capture_.get(),
                                       exporter_.get(), output_.get());
  ProxyNotices& notices = *this;
  proxy_ = std::make_unique<Proxy>(*loop_, options_.proxy, trace_.get(), notices);
  if (auto started = proxy_->start(); !started) return started;
  signals_ = StopSignals::make(*loop_, *proxy_, notices);
  return Done{};
}

void LiveRun::announce() {
  for (const SocketAddress& address : proxy_->addresses()) {
    notice(fmt::format("listening on {} {} {}", address.text(), arrow(),
                       options_.proxy.upstream.text()));
  }
  for (const SocketAddress& address : proxy_->tls_addresses()) {
    notice(fmt::format("listening on {} {} {}, TLS from the first octet", address.text(), arrow(),
                       options_.proxy.upstream.text()));
  }
  if (!options_.capture.empty()) notice(fmt::format("capture: {}", options_.capture));
  if (options_.policy.keep_credentials) {
    notice("credentials are kept: whoever reads the capture can log in with them");
  }
}

int LiveRun::serve() {
  loop_->run();
  signals_.reset();
  if (exporter_) {
    exporter_->end_run();
    exporter_->finish();
    output_->close();
    if (output_->dropped() > 0) {
      notice(fmt::format("{} of the live timeline were dropped, their reader did not keep up",
                         count(output_->dropped(), "octet")));
    }
  }
  if (!capture_) return kExitFine;
  const bool whole = capture_->close();
  const CaptureWriter::Totals totals = capture_->totals();
  if (whole && totals.lost_events == 0) return kExitFine;
  notice(fmt::format(
      "the capture has holes: {} were not written, with {} from the wire{}{}; mail was not delayed",
      count(totals.lost_events, "event"), count(totals.lost_octets, "octet"),
      totals.trouble.empty() ? "" : ": ", totals.trouble));
  return kExitFailure;
}

void LiveRun::print_totals() {
  const ProxyTotals& totals = proxy_->totals();
  std::string text =
      fmt::format("{}, {} from clients, {} from the server", count(totals.sessions, "session"),
                  count(totals.octets[index(Side::kClient)], "octet"),
                  count(totals.octets[index(Side::kServer)], "octet"));
  if (totals.unreachable > 0) text += fmt::format("; server unreachable: {}", totals.unreachable);
  if (totals.turned_away > 0) text += fmt::format("; turned away: {}", totals.turned_away);
  notice(text);

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
    notice(fmt::format("the sink discarded {}", count(totals.discarded, "message")));
  }
  errors_.close();
}

void LiveRun::notice(std::string_view text) {
  errors_.write(fmt::format(
      "smtpscope: {}\n",
      escape(text, Wording::kOurs, locale_is_utf8() ? Charset::kUtf8 : Charset::kAscii)));
  errors_.flush();
}

}  // namespace smtpscope
