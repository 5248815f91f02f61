#include "diff/taps/taps_clock.h"

#include <chrono>
#include <random>

#include "tests/catch.h"

namespace smtpscope {
namespace {

using namespace std::chrono_literals;

OffsetSample sample(Duration least, Duration most) { return {least, most}; }

TEST_CASE("without a sample no offset is known") {
  CHECK_FALSE(offset_of({}).known);
  CHECK_FALSE(offset_of(std::vector<OffsetSample>{sample(2ms, 1ms)}).known);
}

TEST_CASE("the offset is in the middle of what all samples allow") {
  const std::vector<OffsetSample> samples = {sample(-1ms, 9ms), sample(3ms, 20ms),
                                             sample(1ms, 5ms)};
  std::size_t agreeing = 0;
  const ClockOffset found = offset_of(samples, &agreeing);
  CHECK(found.known);
  CHECK(found.offset == 4ms);
  CHECK(found.uncertainty == 1ms);
  CHECK(agreeing == 3);
}

TEST_CASE("ranges that only touch agree in the point where they do") {
  const ClockOffset found =
      offset_of(std::vector<OffsetSample>{sample(0ms, 2ms), sample(2ms, 4ms)});
  CHECK(found.offset == 2ms);
  CHECK(found.uncertainty == 0ms);
}

TEST_CASE("an answer given in the server's place is outvoted, however exact it looks") {
  const std::vector<OffsetSample> samples = {sample(-1ms, 1ms), sample(-2ms, 2ms),
                                             sample(10s, 10s + 1us), sample(-1ms, 3ms)};
  std::size_t agreeing = 0;
  const ClockOffset found = offset_of(samples, &agreeing);
  CHECK(found.offset == 0ms);
  CHECK(found.uncertainty == 1ms);
  CHECK(agreeing == 3);
}

TEST_CASE("where nothing decides, clocks are taken to be close") {
  CHECK(offset_of(std::vector<OffsetSample>{sample(7s, 8s), sample(-2s, -1s)}).offset == -1500ms);
}

TEST_CASE("one offset for a run whose clocks go evenly") {
  std::mt19937 random(5);
  std::vector<std::vector<OffsetSample>> dialogues(50);
  for (auto& each : dialogues) {
    for (int i = 0; i < 5; ++i) {
      const Duration there = std::chrono::microseconds(100 + random() % 5000);
      const Duration back = std::chrono::microseconds(100 + random() % 5000);
      each.push_back(sample(3600s - back, 3600s + there));
    }
  }
  const TapsClock clock = TapsClock::make(dialogues);
  CHECK_FALSE(clock.drift());
  CHECK(clock.whole().known);
  CHECK(std::chrono::abs(clock.whole().offset - 3600s) <= clock.whole().uncertainty);
  CHECK(clock.whole().uncertainty < 1ms);
  CHECK(clock.of(49).offset == clock.whole().offset);
}

TEST_CASE("clocks that drift have an offset for each dialogue") {
  std::vector<std::vector<OffsetSample>> dialogues(20);
  for (std::size_t i = 0; i < dialogues.size(); ++i) {
    if (i == 7) continue;  // it says nothing, and has its neighbour's
    const Duration offset = 1s + 10ms * i;
    for (int j = 0; j < 4; ++j) dialogues[i].push_back(sample(offset - 1ms, offset + 1ms));
  }
  const TapsClock clock = TapsClock::make(dialogues);
  REQUIRE(clock.drift());
  CHECK(*clock.drift() == 190ms);
  CHECK(clock.of(3).offset == 1030ms);
  CHECK(clock.of(7).offset == 1060ms);
}

}  // namespace
}  // namespace smtpscope
