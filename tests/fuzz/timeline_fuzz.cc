// A session made of the input, with all rules: what TimelineChecker holds every timeline to.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "capture/sanitizer.h"
#include "tests/timeline/timeline_checker.h"
#include "timeline/tracker.h"

using namespace smtpscope;

namespace {

/// Pauses that rules tell apart.
constexpr std::array<int, 8> kPauses = {0, 1, 43, 951, 1001, 5001, 10'001, 300'000};

/// The input is a row of steps: an octet that says what and how long before, an octet for how many
/// octets, then the octets.
void play(std::span<const std::uint8_t> input, Sanitizer& sanitizer) {
  Time now;
  const auto feed = [&](const auto& body) {
    sanitizer.feed({.session = 1, .time = now, .body = body});
  };
  feed(SessionOpened{.client = "192.0.2.1:4000", .listener = {}, .upstream = {}});
  feed(UpstreamConnected{});
  while (input.size() >= 2) {
    const std::uint8_t what = input[0] % 16;
    now += std::chrono::milliseconds(kPauses[input[0] / 32]);
    const std::size_t length = std::min<std::size_t>(input[1], input.size() - 2);
    const Side side = what % 2 == 0 ? Side::kClient : Side::kServer;
    if (what == 0 || what == 1) {
      feed(Gap{.from = side, .octets = length, .why = "fuzz"});
      input = input.subspan(2);
    } else if (what == 2 || what == 3) {
      feed(Closed{.from = side, .kind = static_cast<CloseKind>(length % 4), .reason = {}});
      input = input.subspan(2);
    } else {
      Bytes bytes;
      bytes.from = side;
      bytes.head = input.subspan(2, length);
      feed(bytes);
      input = input.subspan(2 + length);
    }
  }
  feed(SessionEnded{});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const RuleSet kRules;
  RunHistory history;
  test::TimelineChecker checker;
  Tracker tracker(1, kRules, history, checker);
  Sanitizer sanitizer({.keep_credentials = true}, nullptr, &tracker);
  play(std::span(data, size), sanitizer);
  if (!checker.violation.empty() || !checker.ended) {
    std::fprintf(stderr, "%s\n", checker.violation.c_str());
    std::abort();
  }
  return 0;
}
