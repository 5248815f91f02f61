// Times as logs write them.

#include "readers/text/log_stamp.h"

#include <string>
#include <string_view>

#include "capture/wall_time.h"
#include "readers/text/log_syslog_line.h"
#include "tests/catch.h"

using namespace smtpscope;

namespace {

WallTime at(std::string_view text) { return *parse_wall_time(text); }

/// The stamp of a line as text, "" if it has none.
std::string stamp(LogStamps& stamps, std::string_view line) {
  const auto read = stamps.read(line);
  return read ? format_wall_time(read->time) : "";
}
std::string stamp(std::string_view line, std::string_view latest = "2026-11-25T13:00:00Z") {
  LogStamps stamps(at(latest));
  return stamp(stamps, line);
}

}  // namespace

TEST_CASE("RFC 3339 and its relatives") {
  CHECK(stamp("2026-11-25T12:00:00Z mx") == "2026-11-25T12:00:00.000000000Z");
  CHECK(stamp("2026-11-25T12:00:00.123456+01:00 mx") == "2026-11-25T11:00:00.123456000Z");
  CHECK(stamp("2026-11-25T12:00:00,5-0330 mx") == "2026-11-25T15:30:00.500000000Z");
  CHECK(stamp("2026-11-25 12:00:00 mx") == "2026-11-25T12:00:00.000000000Z");
  // Digits beyond nanoseconds are read over.
  CHECK(stamp("2026-11-25T12:00:00.1234567891111Z") == "2026-11-25T12:00:00.123456789Z");
  LogStamps stamps(at("2026-11-25T13:00:00Z"));
  CHECK(stamps.read("2026-11-25T12:00:00.123Z")->resolution == std::chrono::milliseconds(1));
  CHECK(stamps.read("2026-11-25T12:00:00Z")->zoned);
  CHECK_FALSE(stamps.read("2026-11-25T12:00:00 mx")->zoned);
  CHECK_FALSE(stamps.read("2026-11-25T12:00:00 mx")->yearless);
}

TEST_CASE("syslog's stamp gets the year before the log was written last") {
  CHECK(stamp("Nov 25 12:00:00 mx") == "2026-11-25T12:00:00.000000000Z");
  CHECK(stamp("Nov  5 12:00:00.25 mx") == "2026-11-05T12:00:00.250000000Z");
  CHECK(stamp("Dec 31 23:59:59 mx") == "2025-12-31T23:59:59.000000000Z");
  // It is in local time, which may be ahead of UTC.
  CHECK(stamp("Nov 26 02:00:00 mx") == "2026-11-26T02:00:00.000000000Z");
  CHECK(stamp("Feb 29 12:00:00 mx", "2028-03-01T00:00:00Z") == "2028-02-29T12:00:00.000000000Z");
  CHECK(stamp("Feb 29 12:00:00 mx", "2029-01-01T00:00:00Z") == "2028-02-29T12:00:00.000000000Z");
  CHECK(stamp("Feb 29 12:00:00 mx", "2027-03-01T00:00:00Z").empty());
}

TEST_CASE("a log goes on over New Year") {
  LogStamps stamps(at("2027-01-02T00:00:00Z"));
  CHECK(stamp(stamps, "Dec 31 23:59:59 mx") == "2026-12-31T23:59:59.000000000Z");
  CHECK(stamp(stamps, "Jan  1 00:00:01 mx") == "2027-01-01T00:00:01.000000000Z");
  // Lines of several processes may come out of order.
  CHECK(stamp(stamps, "Dec 31 23:59:58 mx") == "2026-12-31T23:59:58.000000000Z");
  CHECK(stamp(stamps, "Jan  1 00:00:02 mx") == "2027-01-01T00:00:02.000000000Z");
}

TEST_CASE("a time of day goes on over midnight") {
  LogStamps stamps(at("2026-11-25T00:10:00Z"));
  const auto read = [&](std::string_view line) {
    const auto found = stamps.read_time_of_day(line);
    return found ? format_wall_time(found->time) : "";
  };
  CHECK(read("23:59:59 1401 SMTP<< QUIT") == "2026-11-24T23:59:59.000000000Z");
  CHECK(read("00:00:01.5 1401 SMTP<< QUIT") == "2026-11-25T00:00:01.500000000Z");
  CHECK(read("1401 SMTP<< QUIT").empty());
}

TEST_CASE("what is no stamp") {
  for (const std::string_view line :
       {"", " ", "Nov", "Nov 25", "Nov 32 12:00:00", "Foo 25 12:00:00", "Nov 25 25:00:00",
        "Nov 25 12:60:00", "2026-13-01T00:00:00Z", "2026-11-25", "2026-11-25T12:00:00.Z",
        "9999-01-01T00:00:00Z", "0000-00-00T00:00:00Z", "2026-11-25T12:00:00+99:99",
        "\xff\xff\xff\xff"}) {
    INFO(line);
    CHECK(stamp(line).empty());
  }
}

TEST_CASE("lines of syslog") {
  LogStamps stamps(at("2026-11-25T13:00:00Z"));
  const auto line = read_syslog_line(
      "Nov 25 12:00:00 mx postfix/smtpd[1201]: > unknown[192.0.2.10]: 220 mx", stamps);
  REQUIRE(line);
  CHECK(line->host == "mx");
  CHECK(line->program == "postfix/smtpd");
  CHECK(line->process == "1201");
  CHECK(line->message == "> unknown[192.0.2.10]: 220 mx");

  const auto prioritised = read_syslog_line("<22>Nov 25 12:00:00 mx cron: done: all", stamps);
  REQUIRE(prioritised);
  CHECK(prioritised->program == "cron");
  CHECK(prioritised->process.empty());
  CHECK(prioritised->message == "done: all");

  const auto empty = read_syslog_line("Nov 25 12:00:00 ws1 sSMTP[7]:", stamps);
  REQUIRE(empty);
  CHECK(empty->process == "7");
  CHECK(empty->message.empty());

  for (const std::string_view none :
       {"Nov 25 12:00:00", "Nov 25 12:00:00 mx", "Nov 25 12:00:00 mx two words: x", "<22", "<>x",
        "-- Boot 1234 --", "Nov 25 12:00:00 mx : x"}) {
    INFO(none);
    CHECK_FALSE(read_syslog_line(none, stamps));
  }
}
