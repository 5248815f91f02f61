#include "timeline/tracker.h"

#include <string>

#include "capture/sanitizer.h"
#include "tests/catch.h"
#include "tests/timeline/timeline_dump.h"

namespace smtpscope::test {
namespace {

TEST_CASE("a session whose beginning is lost is read as one that was joined later") {
  TimelineDump dump;
  const RuleSet rules;
  RunHistory history;
  Tracker tracker(1, rules, history, dump);
  Sanitizer sanitizer({.keep_credentials = true}, nullptr, &tracker, true);
  const std::string command = "NOOP\r\n";
  Bytes bytes;
  bytes.from = Side::kClient;
  bytes.head = {reinterpret_cast<const std::uint8_t*>(command.data()), command.size()};
  sanitizer.feed({.session = 1, .time = at_ns(10'000'000'000), .body = bytes});
  sanitizer.feed({.session = 1, .time = at_ns(13'000'000'000), .body = SessionEnded{}});
  const std::string text = dump.text();
  INFO(text);
  // Nothing is made up about who opened it.
  CHECK(text.find("started") == std::string::npos);
  CHECK(text.find("command [NOOP]") != std::string::npos);
  // Nobody waited before what is known of the session.
  CHECK(text.find("silence") == std::string::npos);
}

}  // namespace
}  // namespace smtpscope::test
