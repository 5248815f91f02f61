// Lowers the process's own limit for good, so it is a program of its own.
#include <ifaddrs.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "tests/proxy/proxy_fixture.h"

namespace smtpscope {
namespace {

/// An address of this host that is not the loopback's: who comes from the loopback may always in.
std::string outer_address() {
  ifaddrs* all = nullptr;
  REQUIRE(getifaddrs(&all) == 0);
  std::string found;
  for (const ifaddrs* each = all; each != nullptr && found.empty(); each = each->ifa_next) {
    if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != AF_INET) continue;
    const SocketAddress address(each->ifa_addr);
    if (address.is_loopback()) continue;
    found = address.text().substr(0, address.text().rfind(':'));
  }
  freeifaddrs(all);
  if (found.empty()) FAIL("this test needs an IPv4 address beside the loopback");
  return found;
}

}  // namespace

TEST_CASE("out of descriptors: those inside are served, others are told 421") {
  ProxyFixture run;
  const rlimit low{200, 256};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &low) == 0);
  // The test's ends of the connections count against the same limit. So while the proxy works out
  // how many sessions it has room for, 140 descriptors are taken that are then set free for them.
  std::vector<Peer> hogs;
  for (int i = 0; i < 140; ++i) hogs.emplace_back(::socket(AF_INET, SOCK_STREAM, 0));
  run.start();
  hogs.clear();
  rlimit now;
  REQUIRE(getrlimit(RLIMIT_NOFILE, &now) == 0);
  CHECK(now.rlim_cur == 256);  // raised as far as allowed

  std::vector<Peer> clients, servers;
  const auto accept_all = [&] {
    while (true) {
      Peer peer = run.server_listener->accept();
      if (!peer.is_open()) return;
      servers.push_back(std::move(peer));
    }
  };
  while (run.notices.empty()) {
    REQUIRE(clients.size() < 70);
    clients.push_back(Peer::connect(run.address));
    const std::size_t wanted = clients.size();
    run.run_until([&] {
      accept_all();
      return servers.size() == wanted || !run.notices.empty();
    });
    if (wanted > 1) continue;
    // One is greeted: the server is one.
    servers[0].send("220 a\r\n");
    run.run_until([&] {
      clients[0].read();
      return clients[0].received == "220 a\r\n";
    });
  }
  const std::size_t served = servers.size();
  CHECK(served == clients.size() - 1);
  CHECK(run.notices[0].find("open files") != std::string::npos);
  CHECK(run.notices[0].find("leads back") == std::string::npos);

  // Those inside go on.
  clients[0].send("NOOP\r\n");
  run.run_until([&] {
    servers[0].read();
    return servers[0].received == "NOOP\r\n";
  });
  // Who had no room is told so, in SMTP's words, and stands in the record as a session.
  constexpr std::string_view kTooMany =
      "421 4.3.2 smtpscope: too many sessions, try again later\r\n";
  const auto is_told = [&](Peer& client) {
    client.read();
    return client.fin_seen && client.received == kTooMany;
  };
  run.run_until([&] { return is_told(clients.back()); });
  CHECK(run.proxy->totals().refused == 1);
  CHECK(run.seen(clients.size()).by_proxy == kTooMany);
  // So are those behind it. Few at a time: who does not hang up keeps a descriptor, and the rest
  // wait for one.
  std::vector<Peer> refused;
  refused.push_back(std::move(clients.back()));
  clients.pop_back();
  for (int i = 0; i < 16; ++i) refused.push_back(Peer::connect(run.address));
  std::vector<bool> told(refused.size());
  std::size_t most_open = 0;
  const auto look = [&] {
    for (std::size_t i = 0; i < refused.size(); ++i) {
      if (!told[i]) told[i] = is_told(refused[i]);
    }
    most_open = std::max(most_open, run.proxy->open_sessions());
    return std::count(told.begin(), told.end(), true);
  };
  run.run_until([&] { return look() >= 4; });
  run.run_until([&] {
    for (std::size_t i = 0; i < refused.size(); ++i) {
      if (told[i]) refused[i].close();
    }
    return look() == std::ssize(refused);
  });
  CHECK(most_open > served + 1);
  CHECK(most_open < served + refused.size());
  CHECK(run.proxy->totals().refused == refused.size());
  for (Peer& each : refused) each.close();
  run.run_until([&] { return run.proxy->open_sessions() == served; });

  // One leaves, the next comes in, and the trouble was told once.
  clients[0].close();
  run.run_until([&] {
    servers[0].read();
    return servers[0].fin_seen;
  });
  servers[0].close();
  run.run_until([&] { return run.proxy->open_sessions() == served - 1; });
  clients.push_back(Peer::connect(run.address));
  run.run_until([&] {
    accept_all();
    return servers.size() == served + 1;
  });
  clients.back().send("EHLO late\r\n");
  run.run_until([&] {
    servers.back().read();
    return servers.back().received == "EHLO late\r\n";
  });
  CHECK(run.notices.size() == 1);
}

TEST_CASE("a loop through another proxy ends when there is no room, and is told of") {
  ProxyFixture run;
  const rlimit low{200, 200};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &low) == 0);
  std::vector<Peer> hogs;
  for (int i = 0; i < 140; ++i) hogs.emplace_back(::socket(AF_INET, SOCK_STREAM, 0));
  run.start();
  hogs.clear();
  // The other proxy: whatever comes to it goes back.
  std::vector<Peer> there, back;
  back.push_back(Peer::connect(run.address));
  run.run_until([&] {
    Peer peer = run.server_listener->accept();
    if (peer.is_open()) {
      there.push_back(std::move(peer));
      REQUIRE(back.size() < 70);
      back.push_back(Peer::connect(run.address));
    }
    return !run.notices.empty();
  });
  CHECK(run.notices[0].find("greeted none of them") != std::string::npos);
  CHECK(run.notices[0].find("leads back to smtpscope") != std::string::npos);
  // It ends as it began: with the client.
  const std::size_t open = run.proxy->open_sessions();
  CHECK(open > 1);
  back.clear();
  there.clear();
  run.run_until([&] {
    run.server_listener->accept();  // of the one that had waited
    return run.proxy->open_sessions() == 0;
  });
}

TEST_CASE("room that one client may not use goes to the next listener's, the oldest first") {
  ProxyFixture run;
  const rlimit low{200, 200};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &low) == 0);
  const Endpoint inside = parse_listen("127.0.0.1:0").value();
  run.options.listen = {inside, parse_listen(outer_address() + ":0").value(), inside, inside};
  REQUIRE(run.options.allow.add("203.0.113.0/24"));
  // Room for one session.
  std::vector<Peer> hogs;
  while (true) {
    const int hog = ::socket(AF_INET, SOCK_STREAM, 0);
    if (hog < 0) break;
    hogs.emplace_back(hog);
  }
  for (int i = 0; i < 20; ++i) hogs.pop_back();
  run.start();
  hogs.clear();
  const std::vector<SocketAddress> at = run.proxy->addresses();
  REQUIRE(at.size() == 4);

  run.client = Peer::connect(at[0]);
  run.run_until([&] { return (run.server = run.server_listener->accept()).is_open(); });
  std::vector<Peer> waiting;
  const auto wait_at = [&](const SocketAddress& address) {
    waiting.push_back(Peer::connect(address));
    // The loop takes it off the listener before the next one comes.
    run.loop->run_ready();
    run.loop->run_ready();
  };
  wait_at(at[1]);  // may not come in
  wait_at(at[2]);
  wait_at(at[3]);
  CHECK(run.proxy->open_sessions() == 1);
  CHECK(run.proxy->totals().turned_away == 0);

  run.client.reset();
  Peer second;
  run.run_until([&] { return (second = run.server_listener->accept()).is_open(); });
  CHECK(run.proxy->totals().turned_away == 1);
  CHECK(run.seen(2).client == waiting[1].own_address().text());
  CHECK(run.proxy->open_sessions() == 1);

  waiting[1].reset();
  Peer third;
  run.run_until([&] { return (third = run.server_listener->accept()).is_open(); });
  CHECK(run.seen(3).client == waiting[2].own_address().text());
}

}  // namespace smtpscope
