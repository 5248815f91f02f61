#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/proxy.h"
#include "tests/catch.h"
#include "tests/proxy/peer.h"
#include "tests/proxy/recording_observer.h"

namespace smtpscope {

/// A proxy on a loop that the test turns by hand, with one scripted client and server.
class ProxyFixture : public ProxyNotices {
 public:
  /// Server and listener on `host`.
  explicit ProxyFixture(const std::string& host = "127.0.0.1") : host_(host) {
    auto made = Loop::make();
    REQUIRE(made);
    loop = std::move(made.value());
    server_listener.emplace(PeerListener::tcp(host));
    options.listen = {parse_listen(SocketAddress::from_numeric(host, 0)->text()).value()};
    options.upstream = parse_upstream(server_listener->address().text()).value();
  }
  ~ProxyFixture() override {
    if (proxy) proxy->stop_now();
    proxy.reset();
  }

  void notice(std::string_view text) override { notices.emplace_back(text); }

  void start() {
    proxy = std::make_unique<Proxy>(*loop, options, &observer, *this);
    const auto started = proxy->start();
    if (!started) FAIL(started.error().message);
    address = proxy->addresses().front();
  }
  /// Starts, and brings up one session, both ends of it in `client` and `server`.
  void start_session(int client_buffer = 0, int server_buffer = 0) {
    start();
    client = Peer::connect(address, client_buffer);
    run_until([&] { return (server = server_listener->accept(server_buffer)).is_open(); });
    run_until([&] { return seen().events.size() >= 2; });
  }
  void run_until(const std::function<bool()>& done) {
    smtpscope::run_until(*loop, [&] {
      client.read(client_reads);
      server.read(server_reads);
      return done();
    });
  }
  RecordingObserver::Seen& seen(SessionId id = 1) { return observer.sessions[id]; }
  void run_until_ended() {
    run_until([&] { return seen().ended && proxy->open_sessions() == 0; });
    CHECK(seen().in_order);
    CHECK(observer.observers_alive == 0);
  }

  std::unique_ptr<Loop> loop;
  std::optional<PeerListener> server_listener;
  ProxyOptions options;
  RecordingObserver observer;
  std::unique_ptr<Proxy> proxy;
  SocketAddress address;  // of the proxy
  Peer client, server;
  /// What a peer takes at most each time round; 0: it does not read.
  std::size_t client_reads = ~std::size_t{0}, server_reads = ~std::size_t{0};
  std::vector<std::string> notices;

 private:
  std::string host_;
};

}  // namespace smtpscope
