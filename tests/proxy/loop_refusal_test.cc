// A proxy that would be its own server.

#include "net/own_listeners.h"
#include "tests/proxy/proxy_fixture.h"

namespace smtpscope {
namespace {

SocketAddress at(const std::string& host, std::uint16_t port) {
  return SocketAddress::from_numeric(host, port).value();
}

/// A port that nobody listens on now.
std::uint16_t free_port() { return PeerListener::tcp("127.0.0.1").address().port(); }

}  // namespace

TEST_CASE("which addresses lead to a listener of one's own", "[proxy]") {
  OwnListeners own;
  SECTION("one address") {
    own.add(at("127.0.0.1", 2525));
    CHECK(own.reached_by(at("127.0.0.1", 2525)) != nullptr);
    CHECK(own.reached_by(at("::ffff:127.0.0.1", 2525)) != nullptr);
    CHECK(own.reached_by(at("0.0.0.0", 2525)) != nullptr);  // connects to the loopback
    CHECK(own.reached_by(at("127.0.0.1", 2526)) == nullptr);
    CHECK(own.reached_by(at("127.0.0.2", 2525)) == nullptr);
    CHECK(own.reached_by(at("::1", 2525)) == nullptr);
    CHECK(own.reached_by(at("::", 2525)) == nullptr);
  }
  SECTION("all of IPv4") {
    own.add(at("0.0.0.0", 2525));
    CHECK(own.reached_by(at("127.9.9.9", 2525)) != nullptr);
    CHECK(own.reached_by(at("192.0.2.1", 2525)) == nullptr);  // TEST-NET: nobody's
    CHECK(own.reached_by(at("::1", 2525)) == nullptr);
  }
  SECTION("all of IPv6, with IPv4 in it") {
    own.add(at("::", 2525));
    CHECK(own.reached_by(at("::1", 2525)) != nullptr);
    CHECK(own.reached_by(at("127.0.0.1", 2525)) != nullptr);
    CHECK(own.reached_by(at("2001:db8::1", 2525)) == nullptr);
  }
}

TEST_CASE("a server that is the proxy's own listener is refused at the start", "[proxy]") {
  ProxyFixture run;
  const std::string port = std::to_string(free_port());
  const auto [listen, server] =
      GENERATE(std::pair<std::string, std::string>{"127.0.0.1:", "127.0.0.1:"},
               std::pair<std::string, std::string>{"127.0.0.1:", "localhost:"},
               std::pair<std::string, std::string>{"", "localhost:"},
               std::pair<std::string, std::string>{"0.0.0.0:", "127.0.0.1:"},
               std::pair<std::string, std::string>{"[::]:", "127.0.0.3:"});
  INFO(listen << port << " and " << server << port);
  REQUIRE(run.options.allow.add("127.0.0.0/8"));
  run.options.upstream = parse_upstream(server + port).value();
  const bool tls = GENERATE(false, true);
  std::vector<Endpoint>& listeners = tls ? run.options.listen_tls : run.options.listen;
  listeners = {parse_listen(listen + port).value()};
  Proxy proxy(*run.loop, run.options, nullptr, run);
  const auto started = proxy.start();
  REQUIRE_FALSE(started);
  CHECK(started.error().message.starts_with("will not use " + server + port + " as the server: "));
  CHECK(proxy.addresses().empty());
}

TEST_CASE("an address that comes to lead back is not connected to", "[proxy]") {
  // As when a name's address changes while the proxy runs.
  auto loop = std::move(Loop::make().value());
  const PeerListener mirror = PeerListener::tcp("127.0.0.1");
  const PeerListener real = PeerListener::tcp("127.0.0.2", mirror.address().port());
  OwnListeners own;
  own.add(mirror.address());
  struct Outcome : DialerEvents {
    void on_connected(ConnectionPtr made, std::string_view to, Duration,
                      std::uint32_t attempts) override {
      connection = std::move(made);
      server = to;
      failed = attempts;
    }
    void on_unreachable(std::string_view why) override { reason = why; }
    ConnectionPtr connection;
    std::string server, reason;
    std::uint32_t failed = 0;
  } outcome;
  const Endpoint endpoint = parse_upstream("mx.example:25").value();
  SECTION("another address is") {
    Resolver resolver(*loop, {mirror.address(), real.address()});
    Dialer dialer(*loop, &resolver, endpoint, std::chrono::seconds(10), &own, outcome);
    dialer.start();
    run_until(*loop, [&] { return outcome.connection != nullptr; });
    CHECK(outcome.server == real.address().text());
    CHECK(outcome.failed == 1);
  }
  SECTION("there is no other") {
    Resolver resolver(*loop, {mirror.address()});
    Dialer dialer(*loop, &resolver, endpoint, std::chrono::seconds(10), &own, outcome);
    dialer.start();
    CHECK(outcome.reason == "mx.example:25: that is where smtpscope itself listens");
  }
  outcome.connection.reset();
}

}  // namespace smtpscope
