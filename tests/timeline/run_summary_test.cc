#include "timeline/verdict/run_summary.h"

#include <string>

#include "tests/catch.h"

namespace smtpscope {
namespace {

using namespace std::chrono_literals;

/// Tells a summary of sessions, by hand.
class Run {
 public:
  void start(SessionId session, std::string_view client) {
    tell(session, TimelineSessionStarted{.client = client, .listener = {}, .upstream = {}});
  }
  void annotate(SessionId session, std::uint64_t number, std::string_view id, Severity severity,
                std::string_view folded_under = "") {
    Annotation annotation;
    annotation.number = number;
    annotation.rule = find_rule(id);
    REQUIRE(annotation.rule != nullptr);
    annotation.severity = severity;
    annotation.folded_under = folded_under;
    tell(session, annotation);
  }
  void fold(SessionId session, std::uint64_t number) {
    tell(session, AnnotationFolded{.number = number, .under = "round-pause"});
  }
  void silence(SessionId session, Duration length) {
    Silence silence;
    silence.to = Time{length};
    silence.silent = Party::kClient;
    tell(session, silence);
  }
  void end(SessionId session, std::uint64_t accepted, std::optional<Severity> worst = {}) {
    SessionTotals totals;
    totals.outcomes[static_cast<std::size_t>(Outcome::kAccepted)] = accepted;
    totals.outcomes[static_cast<std::size_t>(Outcome::kAborted)] = 1;
    totals.octets[index(Side::kClient)] = 100;
    totals.worst = worst;
    tell(session, TimelineSessionEnded{.totals = &totals, .verdict = {}, .not_evaluated = {}});
  }

  RunSummary summary;

 private:
  template <typename Body>
  void tell(SessionId session, Body body) {
    summary.on_timeline({.session = session, .time = Time{}, .body = body});
  }
};

TEST_CASE("clients are counted by their address, whatever their port") {
  Run run;
  run.start(1, "192.0.2.1:1000");
  run.start(2, "[2001:db8::1]:1000");
  run.start(3, "[2001:db8::1]:1001");
  run.start(4, "unix:");
  run.start(5, "swaks");
  for (SessionId session = 1; session <= 5; ++session) run.end(session, 1);
  const auto& clients = run.summary.clients();
  CHECK(clients.size() == 4);
  REQUIRE(clients.contains("2001:db8::1"));
  CHECK(clients.at("2001:db8::1").sessions == 2);
  CHECK(clients.contains("192.0.2.1"));
  CHECK(clients.contains("unix:"));
  CHECK(clients.contains("swaks"));
}

TEST_CASE("findings are counted as they stand, by session and severity") {
  Run run;
  run.start(1, "192.0.2.1:1000");
  run.start(2, "192.0.2.1:1001");
  run.annotate(1, 1, "gap-client", Severity::kInfo);
  run.annotate(1, 2, "gap-client", Severity::kWarning);
  run.annotate(1, 3, "rset-noop", Severity::kInfo, "rset-repeated");  // folded at once
  run.annotate(2, 1, "gap-client", Severity::kInfo);
  run.annotate(2, 2, "lost-after-eod", Severity::kError);
  auto rules = run.summary.rules();
  REQUIRE(rules.size() == 2);
  CHECK(rules[0].rule->id == "lost-after-eod");
  CHECK(rules[1].findings() == 3);
  CHECK(rules[1].sessions == 2);
  CHECK(rules[1].worst() == Severity::kWarning);
  CHECK(run.summary.findings(Severity::kWarning) == 2);
  CHECK(run.summary.findings(Severity::kInfo) == 4);

  run.fold(1, 2);
  run.fold(2, 1);
  run.fold(2, 77);  // not known: nothing happens
  rules = run.summary.rules();
  CHECK(rules[1].findings() == 1);
  CHECK(rules[1].sessions == 1);
  CHECK(rules[1].worst() == Severity::kInfo);
  CHECK(run.summary.findings(Severity::kWarning) == 1);
}

TEST_CASE("the longest silences are kept, the longest first") {
  Run run;
  run.start(1, "192.0.2.1:1000");
  for (const Duration length : {1s, 9s, 3s, 4s, 2s, 7s, 5s}) run.silence(1, length);
  const auto& silences = run.summary.silences();
  REQUIRE(silences.size() == RunSummary::kSilences);
  CHECK(silences[0].length() == 9s);
  CHECK(silences[1].length() == 7s);
  CHECK(silences[4].length() == 3s);
}

TEST_CASE("each client has its share") {
  Run run;
  run.start(1, "192.0.2.1:1000");
  run.start(2, "[2001:db8::1]:2000");
  run.start(3, "192.0.2.1:1001");
  run.end(1, 2, Severity::kNotice);
  run.end(2, 0);
  CHECK(run.summary.sessions() == 3);
  CHECK(run.summary.open() == 1);
  CHECK(run.summary.transactions() == 4);
  const auto& clients = run.summary.clients();
  REQUIRE(clients.size() == 2);
  const RunSummary::ClientTotals& first = clients.find("192.0.2.1")->second;
  CHECK(first.sessions == 1);
  CHECK(first.delivered == 2);
  CHECK(first.transactions == 3);
  CHECK(first.octets == 100);
  CHECK(first.sessions_by_worst[static_cast<std::size_t>(Severity::kNotice)] == 1);
  CHECK(clients.contains("2001:db8::1"));
}

TEST_CASE("clients beyond the limit are counted together") {
  Run run;
  for (std::size_t i = 0; i < RunSummary::kMaxClients + 10; ++i) {
    const SessionId session = i + 1;
    run.start(session, std::to_string(i) + ":25");
    run.end(session, 1);
  }
  CHECK(run.summary.clients().size() == RunSummary::kMaxClients + 1);
  CHECK(run.summary.clients().find(RunSummary::kOtherClients)->second.sessions == 10);
}

}  // namespace
}  // namespace smtpscope
