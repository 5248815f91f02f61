#include "tests/catch.h"
#include "timeline/duration_text.h"
#include "timeline/state/round_interval.h"

namespace smtpscope {
namespace {

using namespace std::chrono_literals;

TEST_CASE("durations are told in the unit that fits") {
  CHECK(duration_text(0ns) == "0 us");
  CHECK(duration_text(85us) == "85 us");
  CHECK(duration_text(4ms) == "4 ms");
  CHECK(duration_text(999ms) == "999 ms");
  CHECK(duration_text(1s) == "1.000 s");
  CHECK(duration_text(10001ms) == "10.001 s");
  CHECK(duration_text(119999ms) == "119.999 s");
  CHECK(duration_text(303s) == "5 min 3 s");
  CHECK(duration_text(2h + 5min) == "2 h 5 min");
  CHECK(duration_text(-4ms) == "-4 ms");
  CHECK(seconds_text(10001ms) == "10.001");
  CHECK(seconds_text(-5ms) == "-0.005");
}

TEST_CASE("durations between coarse stamps are told as such") {
  CHECK(duration_text(10s, 1s) == "about 10 s");
  CHECK(duration_text(1s, 1s) == "about 1 s");
  CHECK(duration_text(0s, 1s) == "less than 1 s");
  CHECK(duration_text(303s, 1s) == "about 5 min 3 s");
  CHECK(duration_text(1500ms, 100ms) == "about 1.500 s");
  CHECK(duration_text(10ms, 100ms) == "less than 100 ms");
  CHECK(duration_text(10003ms, 1ms) == "10.003 s");
  CHECK(duration_text(10003ms, 0s) == "10.003 s");
}

TEST_CASE("round intervals of few steps of a coarse clock match nothing") {
  CHECK(match_round(10s, 0ms, Thresholds(), 1s));
  CHECK(match_round(5s, 0ms, Thresholds(), 1s));
  CHECK(!match_round(3s, 0ms, Thresholds(), 1s));
  CHECK(!match_round(11s, 0ms, Thresholds(), 1s));
}

TEST_CASE("a wait matches a round interval from 5 ms early to 60 ms late") {
  CHECK(!match_round(9994ms, 0ms, Thresholds()));
  CHECK(match_round(9995ms, 0ms, Thresholds()));
  CHECK(match_round(10s, 0ms, Thresholds()));
  CHECK(match_round(10060ms, 0ms, Thresholds()));
  CHECK(!match_round(10061ms, 0ms, Thresholds()));
  CHECK(match_round(10001ms, 0ms, Thresholds())->excess == 1ms);
  CHECK(kRoundSeconds[match_round(10001ms, 0ms, Thresholds())->index] == 10);
  CHECK(!match_round(7s, 0ms, Thresholds()));
  CHECK(match_round(600s, 0ms, Thresholds()));
}

TEST_CASE("a round trip that is long beside the wait makes nothing round") {
  CHECK(!match_round(1425ms, 300ms, Thresholds()));
  CHECK(match_round(1090ms, 300ms, Thresholds()));
}

TEST_CASE("a long round trip widens the window") {
  CHECK(!match_round(10300ms, 100ms, Thresholds()));
  CHECK(match_round(10200ms, 100ms, Thresholds()));
}

}  // namespace
}  // namespace smtpscope
