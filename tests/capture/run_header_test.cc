// The first line of a capture, which is of its run, and when that began.

#include <optional>
#include <string>
#include <string_view>

#include "capture/event_format.h"
#include "capture/event_line.h"
#include "capture/wall_time.h"
#include "tests/catch.h"

using namespace smtpscope;

TEST_CASE("a header survives") {
  RunInfo run;
  run.started = *parse_wall_time("2026-11-23T12:00:00.123456789Z");
  run.writer = "smtpscope 0.1.0";
  run.tap = "in front of \"mx\"";
  run.source = "live";
  run.credentials_kept = true;
  run.message_kept = "65536";
  const std::string text = format_header(run);
  REQUIRE(text.ends_with("\n"));
  const Result<RunInfo> read = parse_header(std::string_view(text).substr(0, text.size() - 1));
  REQUIRE(read.ok());
  CHECK(read.value().started == run.started);
  CHECK(read.value().writer == run.writer);
  CHECK(read.value().tap == run.tap);
  CHECK(read.value().source == run.source);
  CHECK(read.value().credentials_kept);
  CHECK(read.value().message_kept == run.message_kept);
}

TEST_CASE("a run began between 1970 and the end of packets' time") {
  const auto reads = [](const std::string& started) {
    return parse_header(R"({"smtpcap":1,"writer":"w","started":")" + started + "\"}").ok();
  };
  CHECK(reads("1970-01-01T00:00:00Z"));
  CHECK(reads("2105-12-31T23:59:59Z"));
  CHECK(!reads("1969-12-31T23:59:59Z"));
  CHECK(!reads("2107-01-01T00:00:00Z"));
  CHECK(!reads("2261-12-31T23:59:59Z"));
}

TEST_CASE("wall times are written and read to the nanosecond") {
  for (const std::string_view text :
       {"1970-01-01T00:00:00.000000000Z", "2026-02-28T23:59:59.999999999Z",
        "1969-12-31T23:59:59.000000001Z", "2100-03-01T00:00:00.100000000Z"}) {
    const std::optional<WallTime> time = parse_wall_time(text);
    REQUIRE(time);
    CHECK(format_wall_time(*time) == text);
  }
  CHECK(parse_wall_time("2026-11-23T12:00:00Z") == parse_wall_time("2026-11-23T12:00:00.000Z"));
  for (const std::string_view text :
       {"", "2026-11-23", "2026-02-30T12:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T12:00:00",
        "2026-11-23T12:00:00.Z", "2026-11-23T12:00:00.1234567890Z", "9999-01-01T00:00:00Z",
        "2026-11-23 12:00:00Z", "-026-11-23T12:00:00Z"}) {
    INFO(text);
    CHECK(!parse_wall_time(text));
  }
}
