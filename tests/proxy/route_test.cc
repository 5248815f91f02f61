// The server of a session is chosen when its client connects.

#include "proxy/upstream.h"
#include "tests/proxy/proxy_fixture.h"

namespace smtpscope {

TEST_CASE("each session may have a server of its own", "[proxy]") {
  ProxyFixture run;
  PeerListener other_server = PeerListener::tcp("127.0.0.1");
  const Endpoint other = parse_upstream(other_server.address().text()).value();
  const Endpoint usual = run.options.upstream;
  run.options.listen.push_back(parse_listen("127.0.0.1:0").value());
  std::vector<Arrival> arrivals;
  SocketAddress second;
  run.options.route = [&](const Arrival& arrival) {
    arrivals.push_back(arrival);
    return arrival.listener.port() == second.port() ? other : usual;
  };
  run.start();
  second = run.proxy->addresses()[1];

  run.client = Peer::connect(run.address);
  run.run_until([&] { return (run.server = run.server_listener->accept()).is_open(); });
  Peer client = Peer::connect(second), server;
  run.run_until([&] { return (server = other_server.accept()).is_open(); });
  server.send("220 the other\r\n");
  run.server.send("220 the usual\r\n");
  run.run_until([&] {
    client.read();
    return !client.received.empty() && !run.client.received.empty();
  });
  CHECK(client.received == "220 the other\r\n");
  CHECK(run.client.received == "220 the usual\r\n");
  CHECK(run.seen(1).upstream == usual.text());
  CHECK(run.seen(2).upstream == other.text());
  CHECK(run.seen(2).server == other.text());
  REQUIRE(arrivals.size() == 2);
  CHECK(arrivals[1].client.text() == client.own_address().text());
  CHECK(arrivals[1].reached.text() == second.text());
  CHECK_FALSE(arrivals[1].tls);
}

TEST_CASE("a route that leads back is refused as the start is", "[proxy]") {
  ProxyFixture run;
  run.options.route = [&](const Arrival& arrival) {
    return parse_upstream(arrival.reached.text()).value();
  };
  run.start();
  run.client = Peer::connect(run.address);
  run.run_until([&] { return run.client.fin_seen; });
  CHECK(run.client.received.starts_with("421 4.4.1 smtpscope: "));
  CHECK(run.proxy->totals().sessions == 1);
  CHECK(run.seen().failure == run.address.text() + ": that is where smtpscope itself listens");
}

TEST_CASE("servers are shared while they are used and forgotten after", "[proxy]") {
  auto loop = std::move(Loop::make().value());
  const OwnListeners own;
  Upstreams upstreams(*loop, own, std::chrono::seconds(1));
  const Endpoint one = parse_upstream("one.example:25").value();
  UpstreamPtr first = upstreams.find(one);
  CHECK(upstreams.find(one) == first);
  CHECK(first->name == "one.example:25");
  CHECK(first->tls_name == "one.example");
  const UpstreamPtr unix_one = upstreams.find(parse_upstream("unix:/run/lmtp").value());
  CHECK(unix_one->resolver == nullptr);
  CHECK(unix_one->tls_name.empty());
  CHECK(upstreams.known() == 2);
  first.reset();
  const UpstreamPtr third = upstreams.find(parse_upstream("three.example:25").value());
  CHECK(upstreams.known() == 2);  // not the first any more
}

}  // namespace smtpscope
