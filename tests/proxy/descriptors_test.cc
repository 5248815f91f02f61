// Lowers the process's own limit for good, so it is a program of its own.
#include <sys/resource.h>
#include <sys/socket.h>

#include "tests/proxy/proxy_fixture.h"

namespace smtpscope {

TEST_CASE("out of descriptors: those inside are served, others wait their turn") {
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
  }
  const std::size_t served = servers.size();
  CHECK(served == clients.size() - 1);
  CHECK(run.notices[0].find("open files") != std::string::npos);

  // Those inside go on.
  clients[0].send("NOOP\r\n");
  run.run_until([&] {
    servers[0].read();
    return servers[0].received == "NOOP\r\n";
  });
  // One leaves, the one that waited comes in, and the trouble was told once.
  clients[0].close();
  run.run_until([&] {
    servers[0].read();
    return servers[0].fin_seen;
  });
  servers[0].close();
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

}  // namespace smtpscope
