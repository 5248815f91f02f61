// The relay and the tracer together, on real sockets: whatever the tracer does, octets go on.

#include <array>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "base/octets.h"
#include "proxy/proxy.h"
#include "tests/catch.h"
#include "tests/proxy/peer.h"
#include "tests/trace/traced.h"

using namespace smtpscope;
using test::Gate;
using test::Told;

namespace {

class Notices : public ProxyNotices, public TraceNotices {
 public:
  void notice(std::string_view text) override { said.emplace_back(text); }
  std::vector<std::string> said;
};

/// One client and one server with a traced proxy between them.
class Run {
 public:
  explicit Run(RuleSet which = {}, WireSink* record = nullptr,
               std::size_t queue_limit = TraceQueue::kLimit)
      : rules(std::move(which)) {
    auto made = Loop::make();
    REQUIRE(made);
    loop = std::move(made.value());
    trace = std::make_unique<LiveTrace>(SanitizerPolicy{}, rules, nullptr, &told, nullptr, notices,
                                        queue_limit, std::vector<Duration>{}, record);
    ProxyOptions options;
    options.listen = {parse_listen("127.0.0.1:0").value()};
    options.upstream = parse_upstream(listener.address().text()).value();
    proxy = std::make_unique<Proxy>(*loop, options, trace.get(), notices);
    REQUIRE(proxy->start());
  }
  ~Run() {
    proxy->stop_now();
    proxy.reset();
  }

  /// A session, both ends of it.
  void connect(Peer& client, Peer& server) {
    client = Peer::connect(proxy->addresses().front());
    run_until(*loop, [&] { return (server = listener.accept()).is_open(); });
    server.send("220 a\r\n");
    run_until(*loop, [&] {
      client.read();
      return client.received == "220 a\r\n";
    });
  }
  /// One NOOP and its reply, through the proxy.
  void noop(Peer& client, Peer& server) {
    client.received.clear();
    server.received.clear();
    client.send("NOOP\r\n");
    run_until(*loop, [&] {
      server.read();
      return server.received == "NOOP\r\n";
    });
    server.send("250 ok\r\n");
    run_until(*loop, [&] {
      client.read();
      return client.received == "250 ok\r\n";
    });
  }
  void stop() {
    proxy->stop_now();
    loop->run();
    trace->finish();
  }

  PeerListener listener = PeerListener::tcp("127.0.0.1");
  std::unique_ptr<Loop> loop;
  Notices notices;
  Told told;
  RuleSet rules;
  std::unique_ptr<LiveTrace> trace;
  std::unique_ptr<Proxy> proxy;
};

/// What the clients of a run said, by session.
class Record : public WireSink {
 public:
  void on_wire(const WireEvent& event) override {
    const auto* bytes = std::get_if<Bytes>(&event.body);
    if (bytes == nullptr || bytes->from != Side::kClient) return;
    said.at(event.session) += text_of(bytes->head);
  }
  std::array<std::string, 3> said;
};

std::size_t count(const std::vector<std::string>& words, const std::string& word) {
  return static_cast<std::size_t>(std::count(words.begin(), words.end(), word));
}

}  // namespace

TEST_CASE("a rule that takes five seconds delays no octet") {
  using Clock = std::chrono::steady_clock;
  Gate in_the_rule;
  Clock::time_point asleep_until;
  test::what_the_rule_does = [&] {
    // Once: long enough for the whole test to go by if the relay waited for it.
    if (asleep_until != Clock::time_point()) return;
    asleep_until = Clock::now() + std::chrono::seconds(5);
    in_the_rule.pass();
    std::this_thread::sleep_until(asleep_until);
  };
  RuleSet rules;
  rules.add(test::kNoopRule);
  Run run(rules);
  Peer client, server, other_client, other_server;
  run.connect(client, server);
  run.connect(other_client, other_server);
  run.noop(client, server);
  run.trace->flush();
  REQUIRE(in_the_rule.wait_for_somebody());
  in_the_rule.open();

  constexpr std::size_t kRounds = 200;
  Duration longest{};
  for (std::size_t i = 0; i < kRounds; ++i) {
    const auto began = Clock::now();
    run.noop(i % 2 == 0 ? client : other_client, i % 2 == 0 ? server : other_server);
    longest = std::max<Duration>(longest, Clock::now() - began);
  }
  const bool still_asleep = Clock::now() < asleep_until;
  CHECK(still_asleep);
  CHECK(longest < std::chrono::seconds(3));
  run.stop();
  CHECK(count(run.told.words, "1 6") + count(run.told.words, "2 6") == kRounds + 1);
  CHECK(run.trace->totals().lost_events == 0);
}

TEST_CASE("a rule that throws breaks no session") {
  test::what_the_rule_does = [] { throw std::runtime_error("odd"); };
  RuleSet rules;
  rules.add(test::kNoopRule);
  Run run(rules);
  Peer client, server, other_client, other_server;
  run.connect(client, server);
  run.connect(other_client, other_server);
  run.noop(client, server);
  run.trace->flush();
  run_until(*run.loop, [&] { return !run.notices.said.empty(); });
  CHECK(run.notices.said.front() ==
        "session 1: the tracer failed: odd; its record ends here, its mail flows on");
  run.noop(client, server);
  client.close();
  run_until(*run.loop, [&] {
    server.read();
    return server.fin_seen;
  });
  server.close();
  other_client.send("QUIT\r\n");
  run_until(*run.loop, [&] {
    other_server.read();
    return other_server.received == "QUIT\r\n";
  });
  run.stop();
  CHECK(count(run.told.words, "1 gap of 6: the tracer failed: odd") == 1);
  CHECK(count(run.told.words, "2 6") == 1);
  CHECK(count(run.told.words, "2 ended") == 1);
  CHECK(run.notices.said.size() == 1);
}

TEST_CASE(
    "a client that is gone while the tracer hangs: the server is heard until it has answered") {
  Gate gate;
  Run run;
  run.told.then = [&](const std::string& word) {
    if (word == "1 7") gate.pass();
  };
  Peer client, server;
  run.connect(client, server);
  run.trace->flush();
  REQUIRE(gate.wait_for_somebody());
  client.send("QUIT\r\n");
  run_until(*run.loop, [&] {
    server.read();
    return server.received == "QUIT\r\n";
  });
  client.reset();
  server.send("221 bye\r\n");
  SECTION("the server closes first") {
    server.finish();
    run_until(*run.loop, [&] { return run.proxy->open_sessions() == 0; });
    gate.open();
  }
  SECTION("the tracer answers first") {
    run.loop->run_ready();
    CHECK_FALSE(server.reset_seen);
    gate.open();
    run_until(*run.loop, [&] {
      server.read();
      return server.reset_seen || server.fin_seen;
    });
  }
  run.stop();
  CHECK(count(run.told.words, "1 ended") == 1);
}

TEST_CASE("long reads are recorded as they were, though they are not copied") {
  Record record;
  // Room for all, however long the tracer is kept from reading.
  Run run({}, &record, std::size_t{256} * 1024 * 1024);
  constexpr std::size_t kSessions = 2;
  std::array<Peer, kSessions> clients, servers;
  std::array<std::string, kSessions> mail;
  std::array<std::size_t, kSessions> sent{};
  for (std::size_t i = 0; i < kSessions; ++i) {
    run.connect(clients[i], servers[i]);
    mail[i] = "NOOP\r\n";
    // Each line is the only one of its kind, wherever it ends up.
    for (std::size_t line = 0; mail[i].size() < 2'000'000; ++line) {
      mail[i] += "NOOP " + std::to_string(i) + " " + std::to_string(line) +
                 std::string(line % 900, 'x') + "\r\n";
    }
  }
  run_until(*run.loop, [&] {
    bool all = true;
    for (std::size_t i = 0; i < kSessions; ++i) {
      sent[i] += clients[i].send_some(std::string_view(mail[i]).substr(sent[i]));
      servers[i].read();
      all = all && servers[i].received.size() == mail[i].size();
    }
    return all;
  });
  run.stop();
  CHECK(run.trace->totals().lost_events == 0);
  for (std::size_t i = 0; i < kSessions; ++i) {
    CHECK((servers[i].received == mail[i]));
    CHECK((record.said.at(i + 1) == mail[i]));
  }
}
