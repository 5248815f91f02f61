#include "lab/scenario_run.h"

#include <vector>

#include "lab/grammar.h"
#include "tests/catch.h"

namespace smtpscope {
namespace {

/// Which of so many sessions of a client, one a second, the line is for.
std::vector<int> sessions(std::string_view line, int count, const char* client = "192.0.2.9") {
  LabProgram program;
  REQUIRE(parse_scenario(line, "t", program).ok());
  ScenarioRun run(std::move(program));
  std::vector<int> under;
  for (int i = 1; i <= count; ++i) {
    const Time now{std::chrono::seconds(i)};
    if (!run.begin_session(*SocketAddress::from_numeric(client, 1), now).empty())
      under.push_back(i);
  }
  return under;
}

}  // namespace

TEST_CASE("a line is for the sessions that it names", "[lab]") {
  using List = std::vector<int>;
  CHECK(sessions("EHLO: close", 3) == List{1, 2, 3});
  CHECK(sessions("first 2 sessions: EHLO: close", 5) == List{1, 2});
  CHECK(sessions("every 2nd session: EHLO: close", 5) == List{2, 4});
  CHECK(sessions("from session 2, to session 3: EHLO: close", 5) == List{2, 3});
  CHECK(sessions("client 192.0.2.0/24: EHLO: close", 1) == List{1});
  CHECK(sessions("client 198.51.100.0/24: EHLO: close", 2).empty());
  CHECK(sessions("more than 2 sessions in 3s: EHLO: close", 6) == List{3, 4, 5, 6});
  CHECK(sessions("more than 3 sessions in 3s: EHLO: close", 6).empty());
}

TEST_CASE("chance is the same for the same seed, and about as often as asked for", "[lab]") {
  const auto some = sessions("seed 3\n30%: EHLO: close", 1000);
  CHECK(some == sessions("seed 3\n30%: EHLO: close", 1000));
  CHECK(some != sessions("seed 4\n30%: EHLO: close", 1000));
  CHECK(some.size() > 230);
  CHECK(some.size() < 370);
}

TEST_CASE("lines that were of no use are known", "[lab]") {
  LabProgram program;
  REQUIRE(parse_scenario("hide DSN\nhide SIZE\n", "t", program).ok());
  ScenarioRun run(std::move(program));
  run.note(run.program().lines[0]);
  CHECK(run.unused() == std::vector<std::string>{"t:2: hide SIZE"});
}

}  // namespace smtpscope
