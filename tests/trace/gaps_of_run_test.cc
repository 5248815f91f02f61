// Holes of the whole run: of nobody knows which session, so each that is open is told, once.

#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/trace/replay_script.h"
#include "tests/trace/traced.h"
#include "trace/replay.h"

using namespace smtpscope;

namespace {

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("a session is told of a hole in the run if anything happened in it since the last") {
  RuleSet rules;
  test::Told told;
  Replay replay({}, rules, told);
  test::ReplayScript script(replay);
  script.open(1).open(2).end(2).open(3);
  told.words.clear();
  script.damaged_line().damaged_line();
  CHECK(told.words == Words{"0 gap of 0: damaged", "1 gap of 0: damaged", "3 gap of 0: damaged",
                            "0 gap of 0: damaged"});
  script.say(3, Side::kServer, "220 a\r\n");
  told.words.clear();
  script.damaged_line();
  CHECK(told.words == Words{"0 gap of 0: damaged", "3 gap of 0: damaged"});
}

TEST_CASE("behind events without octets it may yet learn that octets are missing") {
  RuleSet rules;
  test::Told told;
  Replay replay({}, rules, told);
  test::ReplayScript script(replay);
  script.open(1);
  told.words.clear();
  script.lost_events().lost_events().damaged_line().lost_events().damaged_line();
  CHECK(told.words == Words{"0 gap of 0: lost", "1 gap of 0: lost", "0 gap of 0: lost",
                            "0 gap of 0: damaged", "1 gap of 0: damaged", "0 gap of 0: lost",
                            "0 gap of 0: damaged"});
}
