#include "lab/grammar.h"

#include <fstream>
#include <iterator>
#include <string>

#include "lab/ready_scenarios.h"
#include "tests/catch.h"

namespace smtpscope {
namespace {

std::string fault_of(std::string_view line) {
  LabProgram program;
  const auto done = parse_scenario_line(line, "x", program);
  return done ? "" : done.error().message;
}

LabLine parsed(std::string_view line) {
  LabProgram program;
  const auto done = parse_scenario_line(line, "x", program);
  INFO(line << ": " << (done ? "" : done.error().message));
  REQUIRE(program.lines.size() == 1);
  return program.lines[0];
}

}  // namespace

TEST_CASE("every example of the grammar is right", "[lab]") {
  for (const GrammarRow& row : scenario_grammar()) CHECK(fault_of(row.example) == "");
}

TEST_CASE("a line is taken apart", "[lab]") {
  const LabLine line = parsed(
      "client 2001:db8::/32, 10%, first 3 sessions: RCPT 2: reply \"452 4.5.3 \\\"many\\\"\" # x");
  CHECK(line.who.client.has_value());
  CHECK(line.who.percent == 10);
  CHECK(line.who.first == 3);
  CHECK(line.moment.when == LabWhen::kCommand);
  CHECK(line.moment.verb == Verb::kRcpt);
  CHECK(line.moment.count == 2);
  CHECK(line.reply == "452 4.5.3 \"many\"");
  CHECK(line.text.ends_with("\\\"many\\\"\""));

  CHECK(parsed("hide chunking Pipelining").keywords ==
        std::vector<std::string>{"CHUNKING", "PIPELINING"});
  CHECK(parsed("offer SIZE 1000").keywords == std::vector<std::string>{"SIZE", "1000"});
  CHECK(parsed("offer DSN").keywords == std::vector<std::string>{"DSN"});
  CHECK(parsed("message after 20 kB: reset").moment.octets == 20000);
  CHECK(parsed("message after 20kB: reset").moment.octets == 20000);
  CHECK(parsed("greeting: wait 1.5 s").time == std::chrono::milliseconds(1500));
  CHECK(parsed("server: throttle 8 kB/s").octets == 8000);
  CHECK(parsed("more than 5 sessions in 1m: connect: close").who.within == std::chrono::minutes(1));
  CHECK(parsed("replace reply to final dot \"250\" with \"451\"").moment.when ==
        LabWhen::kReplyToDot);
  CHECK(parsed("reset after 2 kB").moment.when == LabWhen::kOctet);

  LabProgram program;
  CHECK(parse_scenario("# nothing\n\n  seed 7\nhide DSN\r\n", "f", program).ok());
  CHECK(program.seed == 7);
  REQUIRE(program.lines.size() == 1);
  CHECK(program.lines[0].place == "f:4");
}

TEST_CASE("what is wrong is told with its column, what was found and what was expected", "[lab]") {
  CHECK(fault_of("hidee DSN").starts_with("x:1: got 'hidee', expected one of hide, offer, reply"));
  CHECK(fault_of("RCPT: reply") == "x:12: got the end of it, expected text in double quotes");
  CHECK(fault_of("RCPT: wait soon") ==
        "x:12: got 'soon', expected a time such as 500ms, 10s or 2m");
  CHECK(fault_of("every 3 session: EHLO: close") ==
        "x:7: got '3', expected which one, such as 3rd");
  CHECK(fault_of("RCPT: reply \"450 x") ==
        "x:13: got the end of the line, expected a closing double quote");
  CHECK(fault_of("RCPT: reply \"hello\"")
            .starts_with("x:13: got \"hello\", expected a reply such as"));
  CHECK(fault_of("DATA: reply \"354 go\"").find("another reply than 3yz") != std::string::npos);
  CHECK(fault_of("RCPT: hide DSN").find("expected no moment before") != std::string::npos);
  CHECK(fault_of("wait 3s").find("to stand behind one of: connect") != std::string::npos);
  CHECK(fault_of("RCPT: DATA: close") == "x:7: got 'DATA', expected only one moment in a line");
  CHECK(fault_of("client 10.0.0.0/99: close").starts_with("x:8: got '10.0.0.0/99'"));
  CHECK(fault_of("first 0 sessions: EHLO: close")
            .starts_with("x:7: got '0', expected a whole number"));
  CHECK(fault_of("hide DSN: close").find("expected one of") != std::string::npos);

  LabProgram program;
  const auto faults = parse_scenario("hide DSN\nbad\nEHLO: worse\n", "f", program);
  REQUIRE(!faults.ok());
  CHECK(faults.error().message.starts_with("f:2:1: got 'bad'"));
  CHECK(faults.error().message.find("\nf:3:7: got 'worse'") != std::string::npos);
}

TEST_CASE("taking back a message that the server has is warned of", "[lab]") {
  LabProgram program;
  REQUIRE(parse_scenario("replace reply to final dot \"250\" with \"451\"\n"
                         "replace reply to RCPT \"250\" with \"450\"\n",
                         "f", program)
              .ok());
  REQUIRE(program.warnings().size() == 1);
  CHECK(program.warnings()[0].starts_with("f:1: the server has taken the message"));
}

TEST_CASE("the ready scenarios are right and say what they are", "[lab]") {
  CHECK(ready_scenarios().size() >= 18);
  for (const ReadyScenario& ready : ready_scenarios()) {
    LabProgram program;
    const auto done = parse_scenario(ready.text, ready.name, program);
    INFO(ready.name << (done ? "" : done.error().message));
    CHECK(!program.lines.empty());
    CHECK(done.ok());
    CHECK(ready.text.starts_with("# "));
    CHECK(find_ready_scenario(ready.name) == &ready);
  }
  CHECK(find_ready_scenario("nothing") == nullptr);
}

TEST_CASE("the documentation has the grammar", "[lab]") {
  std::ifstream file(SMTPSCOPE_SOURCE_DIR "/docs/scenarios.md");
  const std::string page((std::istreambuf_iterator<char>(file)), {});
  INFO("bring docs/scenarios.md up to date with: smtpscope scenario --markdown");
  CHECK(page.find(grammar_as_markdown()) != std::string::npos);
  for (const ReadyScenario& ready : ready_scenarios()) {
    CHECK(page.find("`" + std::string(ready.name) + "`") != std::string::npos);
  }
}

}  // namespace smtpscope
