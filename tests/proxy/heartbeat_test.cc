#include "proxy/heartbeat.h"

#include "tests/catch.h"

using namespace smtpscope;

namespace {

constexpr Time at_ms(int ms) { return Time{std::chrono::milliseconds(ms)}; }

}  // namespace

TEST_CASE("a beat half a second late is forgiven, and none that is later") {
  Heartbeat heart;
  heart.start(at_ms(0));
  CHECK(!heart.on_beat(at_ms(1000)));
  CHECK(!heart.on_activity(at_ms(1900)));
  CHECK(!heart.on_beat(at_ms(2500)));  // due at 2000
  CHECK(!heart.on_activity(at_ms(4000)));
  CHECK(heart.on_activity(at_ms(4001)) == at_ms(3500));
}

TEST_CASE("a stall is told once, by whatever comes first behind it") {
  Heartbeat heart;
  heart.start(at_ms(0));
  CHECK(heart.on_activity(at_ms(8000)) == at_ms(1000));
  CHECK(!heart.on_activity(at_ms(8000)));
  CHECK(!heart.on_beat(at_ms(8001)));
  CHECK(!heart.on_beat(at_ms(9001)));
  CHECK(heart.on_beat(at_ms(20'000)) == at_ms(10'001));
  CHECK(!heart.on_beat(at_ms(21'000)));
}
