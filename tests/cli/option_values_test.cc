#include "cli/option_values.h"

#include "capture/sanitizer.h"
#include "tests/catch.h"

namespace smtpscope {

TEST_CASE("sizes of messages") {
  CHECK(parse_message_size("full") == SanitizerPolicy::kEverything);
  CHECK(parse_message_size("none") == 0);
  CHECK(parse_message_size("0") == 0);
  CHECK(parse_message_size("1000") == 1000);
  CHECK(parse_message_size("64K") == 65536);
  CHECK(parse_message_size("64k") == 65536);
  CHECK(parse_message_size("1M") == 1048576);
  CHECK(parse_message_size("2G") == 2147483648U);
  for (const char* wrong : {"", "K", "64X", "64KB", "-1", "1.5M", " 1", "all",
                            "99999999999999999999", "18446744073709551615", "9999999999999G"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_message_size(wrong));
  }
}

TEST_CASE("spans of time") {
  using namespace std::chrono_literals;
  CHECK(parse_duration("5s") == 5s);
  CHECK(parse_duration("5") == 5s);
  CHECK(parse_duration("0") == 0s);
  CHECK(parse_duration("0.5s") == 500ms);
  CHECK(parse_duration("500ms") == 500ms);
  CHECK(parse_duration("2m") == 2min);
  CHECK(parse_duration("86400") == 24h);
  for (const char* wrong : {"", "s", "soon", "-1s", "5h", "5 s", "1e3", "86401", "nan", "inf"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_duration(wrong));
  }
}

}  // namespace smtpscope
