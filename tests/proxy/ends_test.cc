// How sessions end, on real sockets: what one side does is what the other sees and what is told.

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "tests/proxy/proxy_fixture.h"

namespace smtpscope {
namespace {

using test::kClient;
using test::kServer;

std::vector<std::string> closes(const RecordingObserver::Seen& seen) {
  std::vector<std::string> closes;
  for (const std::string& event : seen.events) {
    if (event.starts_with("closed ")) closes.push_back(event);
  }
  return closes;
}

using Words = std::vector<std::string>;

/// "02" when the kernel's keep-alive timer runs on the socket between the two (proc(5), tcp).
std::string timer_of(const SocketAddress& local, const SocketAddress& remote) {
  const auto hex = [](const SocketAddress& address) {
    const auto& four = *reinterpret_cast<const sockaddr_in*>(address.get());
    char text[16];
    std::snprintf(text, sizeof(text), "%08X:%04X", four.sin_addr.s_addr, address.port());
    return std::string(text);
  };
  std::ifstream table("/proc/self/net/tcp");
  for (std::string line; std::getline(table, line);) {
    const std::size_t at = line.find(hex(local) + " " + hex(remote));
    if (at == std::string::npos) continue;
    // "st tx_queue:rx_queue tr:tm->when"
    return line.substr(at + 27 + 4 + 18, 2);
  }
  return "no socket";
}

}  // namespace

TEST_CASE("a reset right behind octets is reported once and passed on", "[proxy]") {
  ProxyFixture run;
  run.start_session();
  SECTION("by the client") {
    run.client.send("MAIL");
    run.client.reset();
    run.run_until([&] { return run.server.reset_seen || run.server.fin_seen; });
    CHECK(run.server.received == "MAIL");
    CHECK(run.server.reset_seen);
    run.run_until_ended();
    CHECK(closes(run.seen()) == Words{"closed client reset"});
  }
  SECTION("by the server") {
    run.server.send("421 bye\r\n");
    run.server.reset();
    run.run_until([&] { return run.client.reset_seen || run.client.fin_seen; });
    CHECK(run.client.received == "421 bye\r\n");
    CHECK(run.client.reset_seen);
    run.run_until_ended();
    CHECK(closes(run.seen()) == Words{"closed server reset"});
  }
}

TEST_CASE("a reset behind a FIN is passed on behind it", "[proxy]") {
  ProxyFixture run;
  run.start_session();
  SECTION("by the client") {
    run.client.send("DATA");
    run.client.finish();
    run.run_until([&] { return run.server.fin_seen; });
    run.client.reset();
    run.run_until_ended();
    CHECK(run.server.is_reset());
    CHECK(closes(run.seen()) == Words{"closed client fin", "closed client reset"});
  }
  SECTION("by the server") {
    run.server.send("221 bye\r\n");
    run.server.finish();
    run.run_until([&] { return run.client.fin_seen; });
    run.server.reset();
    run.run_until_ended();
    CHECK(run.client.is_reset());
    CHECK(closes(run.seen()) == Words{"closed server fin", "closed server reset"});
  }
}

TEST_CASE("a server that accepts, says why not, and breaks off at once", "[proxy]") {
  ProxyFixture run;
  const bool fin_first = GENERATE(false, true);
  run.start();
  run.client = Peer::connect(run.address);
  // The connection to the server is made and not yet looked at when the server is through with it.
  while (!(run.server = run.server_listener->accept()).is_open()) run.loop->run_ready();
  run.server.send("554 5.7.1 you are blocked\r\n");
  if (fin_first) run.server.finish();
  run.server.reset();
  run.run_until_ended();
  run.client.read();
  CHECK(run.client.received == "554 5.7.1 you are blocked\r\n");
  CHECK((run.client.reset_seen || run.client.is_reset()));
  CHECK(run.seen().octets[kServer] == "554 5.7.1 you are blocked\r\n");
  CHECK(run.seen().by_proxy.empty());
  CHECK(run.seen().failure.empty());
  CHECK(run.proxy->totals().unreachable == 0);
  CHECK(closes(run.seen()) == (fin_first ? Words{"closed server fin", "closed server reset"}
                                         : Words{"closed server reset"}));
}

TEST_CASE("a client that has reset before it was accepted is relayed all the same", "[proxy]") {
  ProxyFixture run;
  run.start();
  run.client = Peer::connect(run.address);
  const std::string name = run.client.own_address().text();
  run.client.send("EHLO early\r\n");
  run.client.reset();
  run.run_until([&] {
    if (!run.server.is_open()) run.server = run.server_listener->accept();
    return run.server.is_open() && run.server.reset_seen;
  });
  CHECK(run.server.received == "EHLO early\r\n");
  run.run_until_ended();
  CHECK(run.seen().client == name);
  CHECK(run.seen().octets[kClient] == "EHLO early\r\n");
  CHECK(closes(run.seen()) == Words{"closed client reset"});
}

TEST_CASE("a reset does not overtake octets that a slow peer has yet to read", "[proxy]") {
  ProxyFixture run;
  run.start_session(0, 128 * 1024);
  run.server_reads = 0;
  // More than the server's kernel takes ahead, so that the rest is in the proxy's; and not so much
  // that the proxy stops reading.
  const std::string some(60'000, 'x');
  std::size_t sent = 0;
  while (run.seen().octets[kClient].size() == sent && sent < 600'000) {
    run.client.send(some);
    sent += some.size();
    run.run_until([&] { return run.seen().octets[kClient].size() == sent; });
  }
  run.client.reset();
  run.run_until([&] { return run.seen().ended; });
  CHECK(run.proxy->open_sessions() == 1);
  run.server_reads = 40'000;
  run.run_until([&] { return run.server.reset_seen || run.server.fin_seen; });
  CHECK(run.server.reset_seen);
  CHECK(run.server.received.size() == sent);
  run.run_until([&] { return run.proxy->open_sessions() == 0; });
}

TEST_CASE("the kernel looks after peers that vanish", "[proxy]") {
  ProxyFixture run;
  run.start_session();
  CHECK(timer_of(run.address, run.client.own_address()) == "02");
  // Towards the server: the proxy's end is the one whose other end is the server's address.
  const auto peer = [&] {
    sockaddr_storage storage;
    socklen_t length = sizeof(storage);
    REQUIRE(getpeername(run.server.descriptor(), reinterpret_cast<sockaddr*>(&storage), &length) ==
            0);
    return SocketAddress(reinterpret_cast<const sockaddr*>(&storage));
  }();
  CHECK(timer_of(peer, run.server_listener->address()) == "02");
}

}  // namespace smtpscope
