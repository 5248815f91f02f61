// Several proxies in one process.

#include "proxy/routes.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/proxy/proxy_fixture.h"

namespace smtpscope {
namespace {

/// Two routes to the fixture's server, "a" and "b".
std::vector<ProxyOptions> two(const ProxyFixture& run) {
  std::vector<ProxyOptions> routes(2, run.options);
  routes[0].name = "a";
  routes[1].name = "b";
  return routes;
}

}  // namespace

TEST_CASE("routes share the numbers of sessions and the observer, and end together", "[proxy]") {
  ProxyFixture run;
  PeerListener other = PeerListener::tcp("127.0.0.1");
  std::vector<ProxyOptions> options = two(run);
  options[1].upstream = parse_upstream(other.address().text()).value();
  Routes routes(*run.loop, options, {.last_session = 40}, &run.observer, run);
  REQUIRE(routes.start());
  REQUIRE(routes.proxies().size() == 2);
  const SocketAddress a = routes.proxies()[0]->addresses().front();
  const SocketAddress b = routes.proxies()[1]->addresses().front();

  Peer first = Peer::connect(a), at_first;
  run.run_until([&] { return (at_first = run.server_listener->accept()).is_open(); });
  Peer second = Peer::connect(b), at_second;
  run.run_until([&] { return (at_second = other.accept()).is_open(); });
  Peer third = Peer::connect(a), at_third;
  run.run_until([&] { return (at_third = run.server_listener->accept()).is_open(); });
  CHECK(run.seen(41).route == "a");
  CHECK(run.seen(42).route == "b");
  CHECK(run.seen(43).route == "a");
  CHECK(run.seen(42).upstream == other.address().text());
  CHECK(routes.open_sessions() == 3);
  CHECK(routes.totals().sessions == 3);
  CHECK(routes.proxies()[1]->totals().sessions == 1);

  // That one route has no more sessions does not take the observer from the other.
  routes.stop();
  second.close();
  at_second.close();
  run.run_until([&] { return run.seen(42).ended; });
  const int flushes = run.observer.flushes;
  first.send("EHLO a\r\n");
  run.run_until([&] {
    at_first.read();
    return at_first.received == "EHLO a\r\n" && run.observer.flushes > flushes;
  });
  routes.stop_now();
  run.run_until([&] { return run.observer.observers_alive == 0; });
  CHECK(routes.open_sessions() == 0);
}

TEST_CASE("what a route has to tell is told with its name", "[proxy]") {
  ProxyFixture run;
  std::vector<ProxyOptions> options = two(run);
  options[1].most_sessions = 1'000'000'000;
  Routes routes(*run.loop, options, {}, &run.observer, run);
  REQUIRE(routes.start());
  REQUIRE(run.notices.size() == 1);
  CHECK(run.notices[0].starts_with("route b: --max-sessions is 1000000000, but"));
  routes.stop_now();
}

TEST_CASE("a route to another one's listener is refused at the start", "[proxy]") {
  ProxyFixture run;
  std::vector<ProxyOptions> options = two(run);
  // Which port it is shows only once it is open.
  const int given = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const SocketAddress loopback = SocketAddress::from_numeric("127.0.0.1", 0).value();
  REQUIRE(::bind(given, loopback.get(), sizeof(sockaddr_in)) == 0);
  REQUIRE(::listen(given, 1) == 0);
  sockaddr_storage bound{};
  socklen_t length = sizeof(bound);
  REQUIRE(::getsockname(given, reinterpret_cast<sockaddr*>(&bound), &length) == 0);
  const SocketAddress there(reinterpret_cast<const sockaddr*>(&bound));
  options[1].inherited = {{.descriptor = given}};
  options[0].upstream = parse_upstream(there.text()).value();
  for (std::size_t i = 0; i < options.size(); ++i) CHECK(Routes::check(options, i));
  Routes routes(*run.loop, options, {}, &run.observer, run);
  const auto started = routes.start();
  REQUIRE_FALSE(started);
  CHECK(started.error().message.starts_with("route a: will not use " + there.text()));
}

TEST_CASE("routes that cannot both be are found out without a socket", "[proxy]") {
  ProxyFixture run;
  const auto fault = [](const std::vector<ProxyOptions>& routes, std::size_t which) {
    const auto done = Routes::check(routes, which);
    return done ? std::string() : done.error().message;
  };
  std::vector<ProxyOptions> options = two(run);
  const auto listen = [](const char* text) {
    return std::vector<Endpoint>{parse_listen(text).value()};
  };
  CHECK(fault(options, 1).empty());  // ports that are picked differ
  options[0].listen = listen("127.0.0.1:2525");
  for (const char* same : {"127.0.0.1:2525", "2525", "0.0.0.0:2525", "[::]:2525"}) {
    options[1].listen = listen(same);
    CHECK(fault(options, 0).empty());
    CHECK(fault(options, 1) ==
          "--listen '" + options[1].listen[0].text() + "': route a listens on 127.0.0.1:2525");
  }
  for (const char* other : {"127.0.0.1:2526", "127.0.0.2:2525", "[::1]:2525"}) {
    options[1].listen = listen(other);
    CHECK(fault(options, 1).empty());
  }
  std::swap(options[1].listen, options[1].listen_tls);
  options[1].listen_tls = listen("2525");
  CHECK(fault(options, 1).starts_with("--listen-tls '2525': route a listens on"));
  options[1].listen_tls = listen("127.0.0.2:4650");
  options[0].upstream = parse_upstream("127.0.0.2:4650").value();
  CHECK(fault(options, 0).starts_with("will not use 127.0.0.2:4650 as the server"));
  CHECK(fault(options, 1).empty());
  options[0].transparent = Transparent::kRedirect;  // then each session tells
  CHECK(fault(options, 0).empty());
}

}  // namespace smtpscope
