#include "proxy/proxy.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "proxy/stop_signals.h"
#include "tests/proxy/proxy_fixture.h"

namespace smtpscope {
namespace {

using test::kClient;
using test::kServer;

std::string random_octets(std::size_t count, unsigned seed) {
  std::mt19937_64 random(seed);
  std::string octets(count, '\0');
  for (char& octet : octets) octet = static_cast<char>(random());
  return octets;
}

}  // namespace

TEST_CASE("a session is relayed and told to the observer", "[proxy]") {
  const std::string host = GENERATE("127.0.0.1", "::1");
  ProxyFixture run(host);
  run.start_session();
  CHECK(run.seen().client == run.client.own_address().text());
  CHECK(run.seen().listener == run.address.text());
  CHECK(run.seen().upstream == run.server_listener->address().text());
  CHECK(run.seen().server == run.server_listener->address().text());

  run.server.send("220 mx\r\n");
  run.run_until([&] { return run.client.received == "220 mx\r\n"; });
  run.client.send("QUIT\r\n");
  run.run_until([&] { return run.server.received == "QUIT\r\n"; });
  run.server.send("221 bye\r\n");
  run.server.close();
  run.run_until([&] { return run.client.fin_seen; });
  CHECK(run.client.received == "220 mx\r\n221 bye\r\n");
  run.client.close();
  run.run_until_ended();
  CHECK(run.seen().octets[kClient] == "QUIT\r\n");
  CHECK(run.seen().octets[kServer] == "220 mx\r\n221 bye\r\n");
  CHECK(run.seen().undelivered[kServer].empty());
  CHECK(run.proxy->totals().sessions == 1);
  CHECK(run.proxy->totals().octets[kClient] == 6);
  CHECK(run.proxy->totals().octets[kServer] == 17);
}

TEST_CASE("every octet arrives, whatever the sizes and however slow the readers", "[proxy]") {
  ProxyFixture run;
  const bool small_buffers = GENERATE(false, true);
  // Not smaller: below the loopback's segment size of 64 KiB the kernel itself stalls.
  const int buffer = small_buffers ? 128 * 1024 : 0;
  run.start_session(buffer, buffer);
  const std::string up = random_octets(3'000'000, 1), down = random_octets(2'000'000, 2);
  std::string_view up_left = up, down_left = down;
  std::mt19937_64 random(3);
  const auto piece = [&](std::string_view left) {
    return left.substr(0, 1 + random() % (random() % 4 == 0 ? 200'000 : 300));
  };
  run.run_until([&] {
    // Readers that pause most of the time, at moments of their own.
    run.client_reads = random() % 4 == 0 ? 50'000 : 0;
    run.server_reads = random() % 3 == 0 ? 70'000 : 0;
    for (int burst = 0; burst < 20; ++burst) {
      if (!up_left.empty()) up_left.remove_prefix(run.client.send_some(piece(up_left)));
      if (!down_left.empty()) down_left.remove_prefix(run.server.send_some(piece(down_left)));
    }
    return run.server.received.size() >= up.size() && run.client.received.size() >= down.size();
  });
  CHECK(run.server.received == up);
  CHECK(run.client.received == down);
  CHECK(run.seen().octets[kClient] == up);
  CHECK(run.seen().octets[kServer] == down);
}

TEST_CASE("a peer that does not read stops the other, and the proxy keeps little", "[proxy]") {
  ProxyFixture run;
  run.start_session();
  run.server_reads = 0;
  const std::string much(1 << 20, 'x');
  std::size_t sent = 0, sent_before = 1;
  // Until nothing more is taken in many rounds: all buffers on the way are full.
  int still = 0;
  run.run_until([&] {
    sent_before = sent;
    sent += run.client.send_some(much);
    still = sent == sent_before ? still + 1 : 0;
    return still > 50;
  });
  const std::size_t tapped = run.seen().octets[kClient].size();
  CHECK(tapped < sent);  // the rest waits in the kernel, on the client's side
  run.server_reads = ~std::size_t{0};
  run.run_until([&] { return run.server.received.size() == sent; });
  CHECK(run.server.received == std::string(sent, 'x'));
}

TEST_CASE("a half-close is passed on, each way", "[proxy]") {
  ProxyFixture run;
  run.start_session();
  SECTION("by the client") {
    run.client.send("DATA");
    run.client.finish();
    run.run_until([&] { return run.server.fin_seen; });
    CHECK(run.server.received == "DATA");
    run.server.send("250 ok\r\n");
    run.run_until([&] { return run.client.received == "250 ok\r\n"; });
    CHECK_FALSE(run.client.fin_seen);
    run.server.close();
    run.run_until_ended();
    run.run_until([&] { return run.client.fin_seen; });
    CHECK(run.seen().events[2] == "closed client fin");
    CHECK(run.seen().events[3] == "closed server fin");
  }
  SECTION("by the server") {
    run.server.send("221 bye\r\n");
    run.server.finish();
    run.run_until([&] { return run.client.fin_seen; });
    CHECK(run.client.received == "221 bye\r\n");
    run.client.send("late");
    run.run_until([&] { return run.server.received == "late"; });
    run.client.close();
    run.run_until_ended();
    CHECK(run.server.fin_seen);
    CHECK(run.seen().events[2] == "closed server fin");
    CHECK(run.seen().events[3] == "closed client fin");
  }
}

TEST_CASE("a reset is passed on, each way", "[proxy]") {
  ProxyFixture run;
  run.start_session();
  SECTION("by the client") {
    run.client.send("MAIL");
    run.run_until([&] { return run.server.received == "MAIL"; });
    run.client.reset();
    run.run_until([&] { return run.server.reset_seen; });
    run.run_until_ended();
    CHECK(run.seen().events[2] == "closed client reset");
  }
  SECTION("by the server") {
    run.server.send("421 bye\r\n");
    run.run_until([&] { return run.client.received == "421 bye\r\n"; });
    run.server.reset();
    run.run_until([&] { return run.client.reset_seen; });
    run.run_until_ended();
    CHECK(run.seen().events[2] == "closed server reset");
  }
}

TEST_CASE("what a server said before it reset is delivered first", "[proxy]") {
  ProxyFixture run;
  run.start_session();
  // Octets it did not read make the server's kernel send an RST behind its last words.
  run.server_reads = 0;
  run.client.send("more than it wants");
  run.run_until([&] { return run.seen().octets[kClient].size() == 18; });
  run.server.send("421 bye\r\n");
  run.server.close();
  run.client.send("and more");
  run.run_until([&] { return run.client.reset_seen || run.client.fin_seen; });
  CHECK(run.client.received == "421 bye\r\n");
  CHECK(run.client.reset_seen);
  run.run_until_ended();
  CHECK(run.seen().octets[kServer] == "421 bye\r\n");
  CHECK(run.seen().has("closed server reset"));
}

TEST_CASE("after a reset in mid-message the server's verdict is waited for", "[proxy]") {
  ProxyFixture run;
  run.start_session();
  run.client.send(".\r\n");
  run.run_until([&] { return run.server.received == ".\r\n"; });
  run.observer.fate_open = true;
  run.client.reset();
  run.run_until([&] { return run.seen().has("closed client reset"); });
  run.server.send("250 queued\r\n");
  run.run_until([&] { return run.seen().octets[kServer] == "250 queued\r\n"; });
  CHECK_FALSE(run.server.reset_seen);
  CHECK(run.seen().undelivered[kServer] == "250 queued\r\n");
  run.observer.settle();
  run.run_until_ended();
  run.run_until([&] { return run.server.reset_seen; });
}

TEST_CASE("a client that closes without reading the reply is found out", "[proxy]") {
  ProxyFixture run;
  run.start_session();
  run.client.send(".\r\n");
  run.client.close();
  run.run_until([&] { return run.server.fin_seen; });
  run.server.send("250 queued\r\n");
  run.run_until_ended();
  CHECK(run.seen().undelivered[kServer] == "250 queued\r\n");
  CHECK(run.seen().events[2] == "closed client fin");
  CHECK(run.seen().events[3] == "closed client reset");
}

TEST_CASE("client octets before the server has accepted arrive", "[proxy]") {
  ProxyFixture run;
  run.start();
  run.client = Peer::connect(run.address);
  run.client.send("EHLO early\r\n");  // in the kernel before the proxy has even accepted
  run.run_until([&] { return (run.server = run.server_listener->accept()).is_open(); });
  run.run_until([&] { return run.server.received == "EHLO early\r\n"; });
  run.client.finish();
  run.run_until([&] { return run.server.fin_seen; });
}

TEST_CASE("a server on a Unix socket", "[proxy]") {
  char directory[] = "/tmp/smtpscope-test-XXXXXX";
  REQUIRE(mkdtemp(directory) != nullptr);
  const std::string path = std::string(directory) + "/lmtp";
  {
    ProxyFixture run;
    run.server_listener.emplace(PeerListener::local(path));
    run.options.upstream = parse_upstream("unix:" + path).value();
    run.start_session();
    CHECK(run.seen().server == "unix:" + path);
    run.server.send("220 lmtp\r\n");
    run.client.send("LHLO a\r\n");
    run.client.finish();
    run.run_until([&] { return run.server.fin_seen && run.client.received == "220 lmtp\r\n"; });
    CHECK(run.server.received == "LHLO a\r\n");
    run.server.close();
    run.run_until_ended();
    run.run_until([&] { return run.client.fin_seen; });
  }
  std::filesystem::remove_all(directory);
}

TEST_CASE("a server that closes its Unix socket has reset nothing", "[proxy]") {
  char directory[] = "/tmp/smtpscope-test-XXXXXX";
  REQUIRE(mkdtemp(directory) != nullptr);
  const std::string path = std::string(directory) + "/lmtp";
  {
    ProxyFixture run;
    run.server_listener.emplace(PeerListener::local(path));
    run.options.upstream = parse_upstream("unix:" + path).value();
    run.start_session();
    run.server.send("221 2.0.0 Bye\r\n");
    run.server.close();
    run.run_until([&] { return run.client.fin_seen; });
    run.client.close();
    run.run_until_ended();
    CHECK(run.seen().has("closed server fin"));
    CHECK(run.seen().has("closed client fin"));
    CHECK_FALSE(run.seen().has("closed server reset"));
  }
  std::filesystem::remove_all(directory);
}

TEST_CASE("a server that cannot be reached: one 421 and a clean close", "[proxy]") {
  ProxyFixture run;
  SECTION("TCP") {
    run.server_listener.reset();  // its port refuses now
  }
  SECTION("Unix") { run.options.upstream = parse_upstream("unix:/nonexistent/lmtp").value(); }
  run.start();
  run.client = Peer::connect(run.address);
  run.client.send("EHLO early\r\n");
  run.run_until([&] { return run.client.fin_seen || run.client.reset_seen; });
  CHECK(run.client.fin_seen);
  CHECK(run.client.received.starts_with("421 4.4.1 smtpscope: "));
  CHECK(run.client.received.find("\r\n") == run.client.received.size() - 2);
  CHECK(run.proxy->open_sessions() == 1);
  run.client.close();
  run.run_until_ended();
  CHECK(run.seen().by_proxy == run.client.received);
  CHECK(run.seen().failure.starts_with(run.options.upstream.text() + ": "));
  CHECK(run.proxy->totals().unreachable == 1);
  REQUIRE(run.notices.size() == 1);
  CHECK(run.notices[0].find(run.options.upstream.text()) != std::string::npos);
}

TEST_CASE("the built-in sink as the server", "[proxy]") {
  ProxyFixture run;
  run.options.upstream = parse_upstream("sink").value();
  run.start();
  run.client = Peer::connect(run.address);
  const auto say = [&](std::string_view octets, std::string_view reply) {
    run.client.received.clear();
    run.client.send(octets);
    run.run_until([&] { return run.client.received.ends_with("\r\n"); });
    CHECK(run.client.received.starts_with(reply));
  };
  say("", "220 ");
  say("HELO a\r\n", "250 ");
  say("MAIL FROM:<a@example.com>\r\n", "250 ");
  say("RCPT TO:<b@example.net>\r\n", "250 ");
  say("DATA\r\n", "354 ");
  say("x\r\n.\r\n", "250 ");
  say("QUIT\r\n", "221 ");
  run.run_until([&] { return run.client.fin_seen; });
  run.client.close();
  run.run_until_ended();
  CHECK(run.seen().upstream == "sink");
  run.proxy->stop();
  CHECK(run.proxy->totals().discarded == 1);
}

TEST_CASE("a name that does not exist", "[proxy]") {
  ProxyFixture run;
  // RFC 6761 6.4: never resolves. Two sessions share the lookup.
  run.options.upstream = parse_upstream("mx.invalid:25").value();
  run.start();
  run.client = Peer::connect(run.address);
  Peer second = Peer::connect(run.address);
  run.run_until([&] {
    second.read();
    return run.client.fin_seen && second.fin_seen;
  });
  CHECK(run.client.received.starts_with("421 4.4.1 "));
  CHECK(second.received == run.client.received);
  CHECK(run.seen(1).failure.starts_with("mx.invalid:25: "));
  CHECK(run.seen(2).failure.starts_with("mx.invalid:25: "));
}

TEST_CASE("many sessions at once", "[proxy]") {
  ProxyFixture run;
  run.start();
  std::vector<Peer> clients, servers;
  for (int i = 0; i < 100; ++i) clients.push_back(Peer::connect(run.address));
  run.run_until([&] {
    if (Peer peer = run.server_listener->accept(); peer.is_open())
      servers.push_back(std::move(peer));
    return servers.size() == clients.size();
  });
  for (std::size_t i = 0; i < clients.size(); ++i) clients[i].send("I am " + std::to_string(i));
  for (Peer& server : servers) {
    run.run_until([&] {
      server.read();
      return server.received.starts_with("I am ");
    });
    server.send("you " + server.received.substr(2));
    server.close();
  }
  for (std::size_t i = 0; i < clients.size(); ++i) {
    run.run_until([&] {
      clients[i].read();
      return clients[i].fin_seen;
    });
    CHECK(clients[i].received == "you am " + std::to_string(i));
    clients[i].close();
  }
  run.run_until([&] { return run.proxy->open_sessions() == 0; });
  CHECK(run.proxy->totals().sessions == 100);
}

TEST_CASE("the observer is asked to flush after events, and not without", "[proxy]") {
  ProxyFixture run;
  run.start_session();
  run.run_until([&] { return run.observer.flushes == 1; });
  run.server.send("220 mx\r\n");
  run.run_until([&] { return run.observer.flushes == 2; });
}

TEST_CASE("a stop lets sessions end", "[proxy]") {
  ProxyFixture run;
  run.options.grace = std::chrono::hours(1);
  run.start_session();
  run.proxy->stop();
  run.server.send("221 bye\r\n");
  run.run_until([&] { return run.client.received == "221 bye\r\n"; });
  run.server.close();
  run.run_until([&] { return run.client.fin_seen; });
  run.client.close();
  run.run_until_ended();
  run.loop->run();  // dry: returns at once
}

TEST_CASE("after a stop nobody is accepted", "[proxy]") {
  ProxyFixture run;
  run.start_session();
  run.proxy->stop();
  run.loop->run_ready();
  const int late = ::socket(AF_INET, SOCK_STREAM, 0);
  CHECK(::connect(late, run.address.get(), sizeof(sockaddr_in)) != 0);
  CHECK(errno == ECONNREFUSED);
  ::close(late);
}

TEST_CASE("the grace period ends sessions that do not end", "[proxy]") {
  ProxyFixture run;
  run.options.grace = std::chrono::milliseconds(20);
  run.start_session();
  run.proxy->stop();
  CHECK(run.proxy->open_sessions() == 1);
  run.run_until_ended();
  run.run_until([&] { return run.client.fin_seen && run.server.fin_seen; });
  CHECK(run.seen().has("closed client fin by proxy: smtpscope was stopped"));
  CHECK(run.seen().has("closed server fin by proxy: smtpscope was stopped"));
  CHECK(run.observer.flushes >= 1);
}

TEST_CASE("a second signal ends at once", "[proxy]") {
  ProxyFixture run;
  run.options.grace = std::chrono::hours(1);
  run.start_session();
  const int signal = GENERATE(SIGINT, SIGTERM);
  const StopSignals signals(*run.loop, *run.proxy, run);
  ::raise(signal);
  run.run_until([&] { return run.notices.size() == 1; });
  CHECK(run.proxy->open_sessions() == 1);
  ::raise(signal);
  run.run_until_ended();
  CHECK(run.client.is_open());
}

TEST_CASE("beyond the loopback only with a list of who may", "[proxy]") {
  ProxyFixture run;
  const std::string anywhere = GENERATE("0.0.0.0:0", "[::]:0");
  run.options.listen.push_back(parse_listen(anywhere).value());
  {
    Proxy proxy(*run.loop, run.options, nullptr, run);
    const auto started = proxy.start();
    REQUIRE_FALSE(started);
    CHECK(started.error().message.find("--allow") != std::string::npos);
    CHECK(started.error().message.find("mynetworks") != std::string::npos);
    CHECK(proxy.addresses().empty());
  }
  REQUIRE(run.options.allow.add("192.0.2.0/24"));
  run.start();
  REQUIRE(run.proxy->addresses().size() == 2);
  // Through the open listener, from loopback.
  run.client = Peer::connect(SocketAddress::from_numeric(anywhere[0] == '0' ? "127.0.0.1" : "::1",
                                                         run.proxy->addresses()[1].port())
                                 .value());
  run.run_until([&] { return (run.server = run.server_listener->accept()).is_open(); });
  CHECK(run.seen().listener.find(anywhere[0] == '0' ? "127.0.0.1:" : "[::1]:") == 0);
}

TEST_CASE("a port alone is both loopbacks with the same port", "[proxy]") {
  ProxyFixture run;
  run.options.listen = {parse_listen("0").value()};
  run.start();
  const auto addresses = run.proxy->addresses();
  REQUIRE(!addresses.empty());
  CHECK(addresses[0].text().starts_with("127.0.0.1:"));
  if (addresses.size() == 2) {
    CHECK(addresses[1].text() == "[::1]:" + std::to_string(addresses[0].port()));
  }
}

TEST_CASE("a port that is taken is an error that names it", "[proxy]") {
  ProxyFixture run;
  run.options.listen = {parse_listen(run.server_listener->address().text()).value()};
  Proxy proxy(*run.loop, run.options, nullptr, run);
  const auto started = proxy.start();
  REQUIRE_FALSE(started);
  CHECK(started.error().message ==
        "cannot listen on " + run.server_listener->address().text() + ": address already in use");
}

}  // namespace smtpscope
