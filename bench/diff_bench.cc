// Two runs that are nearly alike, compared. Each has so many exchanges as the argument says: in one
// session, or in sessions of eleven. Every thousandth recipient is refused in the second run, and
// every message has a queue id of its own. The time per exchange must not grow with their number.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "base/octets.h"
#include "capture/sanitizer.h"
#include "diff/runs/normalizer.h"
#include "diff/runs/run_comparison.h"
#include "timeline/rule_set.h"
#include "timeline/state/run_history.h"
#include "timeline/tracker.h"
#include "trace/run_recorder.h"

namespace {

using namespace smtpscope;

class RecordedRun {
 public:
  RecordedRun(std::int64_t exchanges, bool one_session, bool second)
      : one_session_(one_session), second_(second) {
    constexpr std::int64_t kOfMessage = 8, kOfSession = 11;
    if (one_session) open();
    const std::int64_t messages = exchanges / (one_session ? kOfMessage : kOfSession);
    for (std::int64_t i = 0; i < messages; ++i) message(i);
    if (one_session) close();
  }

  RunRecord take() { return recorder_.take(); }

 private:
  void message(std::int64_t number) {
    if (!one_session_) open();
    exchange(fmt::format("MAIL FROM:<sender{}@example.com>", number), "250 2.1.0 Ok");
    for (int i = 0; i < 5; ++i) {
      const bool refused = second_ && ++recipients_ % 1000 == 0;
      exchange(fmt::format("RCPT TO:<recipient{}.{}@example.net>", number, i),
               refused ? "550 5.1.1 No such user" : "250 2.1.5 Ok");
    }
    exchange("DATA", "354 End data with <CR><LF>.<CR><LF>");
    exchange(fmt::format("Subject: {}\r\n\r\nHello.\r\n.", number),
             fmt::format("250 2.0.0 Ok: queued as {:X}", ++queue_id_ * (second_ ? 7919 : 104729)));
    if (!one_session_) close();
  }

  void open() {
    ++id_;
    tracker_ = std::make_unique<Tracker>(id_, rules_, history_, recorder_);
    screen_ = std::make_unique<Sanitizer>(SanitizerPolicy{}, nullptr, tracker_.get());
    feed(SessionOpened{.client = "192.0.2.10:50114", .listener = "", .upstream = ""});
    feed(UpstreamConnected{.server = "192.0.2.25:25"});
    say(Side::kServer, "220 mx.example.com ESMTP Postfix");
    exchange("EHLO client.example.com", "250 mx.example.com");
  }
  void close() {
    exchange("QUIT", "221 2.0.0 Bye");
    feed(SessionEnded{});
  }
  void exchange(std::string_view command, std::string_view reply) {
    say(Side::kClient, command);
    say(Side::kServer, reply);
  }
  void say(Side side, std::string_view line) {
    const std::string text = fmt::format("{}\r\n", line);
    Bytes bytes;
    bytes.from = side;
    bytes.head = octets_of(text);
    feed(bytes);
  }
  template <typename Body>
  void feed(Body body) {
    now_ += std::chrono::milliseconds(1);
    const WireEvent event{.session = id_, .time = now_, .body = body};
    recorder_.on_wire(event);
    screen_->feed(event);
  }

  const bool one_session_, second_;
  const RuleSet rules_;
  RunHistory history_;
  RunRecorder recorder_{"run", {}};
  Time now_;
  SessionId id_ = 0;
  std::uint64_t queue_id_ = 0, recipients_ = 0;
  std::unique_ptr<Tracker> tracker_;
  std::unique_ptr<Sanitizer> screen_;
};

void compare(benchmark::State& state, bool one_session) {
  const RunRecord before = RecordedRun(state.range(0), one_session, false).take();
  const RunRecord after = RecordedRun(state.range(0), one_session, true).take();
  const Result<Normalizers> normalizers = Normalizers::make({});
  if (!normalizers.ok()) std::abort();
  for (auto _ : state) {
    const RunComparison comparison = compare_runs(before, after, normalizers.value(), {});
    if (comparison.same()) std::abort();
    benchmark::DoNotOptimize(&comparison);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(compare, one_session, true)->Arg(10'000)->Arg(100'000)->Arg(400'000);
BENCHMARK_CAPTURE(compare, sessions, false)->Arg(10'000)->Arg(100'000)->Arg(400'000);

}  // namespace
