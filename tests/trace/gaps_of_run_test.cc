// Holes of the whole run: of nobody knows which session, so each that is open is told, once.

#include <string>
#include <vector>

#include "base/octets.h"
#include "tests/catch.h"
#include "tests/trace/traced.h"
#include "trace/replay.h"

using namespace smtpscope;

namespace {

class Script {
 public:
  explicit Script(WireSink& sink) : sink_(sink) {}

  Script& open(SessionId id) {
    sink_.on_wire(
        {id, at(), SessionOpened{.client = "192.0.2.10:50114", .listener = "", .upstream = ""}});
    return *this;
  }
  Script& say(SessionId id, Side from, std::string_view text) {
    Bytes bytes;
    bytes.from = from;
    bytes.head = octets_of(text);
    sink_.on_wire({id, at(), bytes});
    return *this;
  }
  Script& end(SessionId id) {
    sink_.on_wire({id, at(), SessionEnded{}});
    return *this;
  }
  Script& damaged_line() { return gap({std::nullopt, 0, 0, "damaged"}); }
  Script& lost_events() { return gap({std::nullopt, 0, 2, "lost"}); }

 private:
  Script& gap(const Gap& what) {
    sink_.on_wire({kWholeRun, at(), what});
    return *this;
  }
  Time at() { return now_ += Duration(1000); }

  WireSink& sink_;
  Time now_;
};

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("a session is told of a hole in the run if anything happened in it since the last") {
  RuleSet rules;
  test::Told told;
  Replay replay({}, rules, told);
  Script script(replay);
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
  Script script(replay);
  script.open(1);
  told.words.clear();
  script.lost_events().lost_events().damaged_line().lost_events().damaged_line();
  CHECK(told.words == Words{"0 gap of 0: lost", "1 gap of 0: lost", "0 gap of 0: lost",
                            "0 gap of 0: damaged", "1 gap of 0: damaged", "0 gap of 0: lost",
                            "0 gap of 0: damaged"});
}
