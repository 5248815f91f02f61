#include "timeline/thresholds.h"

#include <set>
#include <string>

#include "tests/catch.h"

namespace smtpscope {
namespace {

TEST_CASE("a threshold is read with its unit") {
  CHECK(parse_threshold(Unit::kDuration, "2s") == 2'000'000'000);
  CHECK(parse_threshold(Unit::kDuration, "2") == 2'000'000'000);
  CHECK(parse_threshold(Unit::kDuration, "0.95s") == 950'000'000);
  CHECK(parse_threshold(Unit::kDuration, "500ms") == 500'000'000);
  CHECK(parse_threshold(Unit::kDuration, "5m") == 300'000'000'000);
  CHECK(parse_threshold(Unit::kCount, "3") == 3);
  CHECK(parse_threshold(Unit::kOctets, "2048") == 2048);
  CHECK(parse_threshold(Unit::kPercent, "50%") == 50);
  CHECK(parse_threshold(Unit::kPercent, "50") == 50);
}

TEST_CASE("what is no threshold is refused") {
  for (const std::string text : {"", "s", "-1s", "2 s", "2h", "nan", "inf", "1e99s", "2s3"}) {
    INFO(text);
    CHECK(!parse_threshold(Unit::kDuration, text));
  }
  CHECK(!parse_threshold(Unit::kCount, "2.5"));
  CHECK(!parse_threshold(Unit::kCount, "2s"));
  CHECK(!parse_threshold(Unit::kOctets, "2%"));
}

TEST_CASE("every standard value is written as it is read") {
  std::set<std::string> names;
  for (const ThresholdKind& kind : all_thresholds()) {
    INFO(kind.name());
    CHECK(names.insert(kind.name()).second);
    CHECK(find_threshold(kind.name()) == &kind);
    CHECK(!kind.words.empty());
    CHECK(Thresholds().value(kind.threshold) == kind.standard);
    CHECK(parse_threshold(kind.unit, threshold_text(kind.unit, kind.standard)) == kind.standard);
  }
  CHECK(find_threshold("gap.nothing") == nullptr);
}

}  // namespace
}  // namespace smtpscope
