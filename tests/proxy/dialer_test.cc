#include "net/dialer.h"

#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/proxy/peer.h"

namespace smtpscope {
namespace {

/// What dialling came to.
class Outcome : public DialerEvents {
 public:
  void on_connected(ConnectionPtr made, std::string_view to, Duration time,
                    std::uint32_t attempts) override {
    connection = std::move(made);
    server = to;
    took = time;
    failed_attempts = attempts;
  }
  void on_unreachable(std::string_view why) override { reason = why; }
  bool known() const { return connection || !reason.empty(); }

  ConnectionPtr connection;
  std::string server, reason;
  Duration took{};
  std::uint32_t failed_attempts = 0;
};

SocketAddress address(const std::string& host, std::uint16_t port) {
  return SocketAddress::from_numeric(host, port).value();
}

struct Dialling {
  std::unique_ptr<Loop> loop = std::move(Loop::make().value());
  Endpoint endpoint = parse_upstream("mx.example:25").value();
  Outcome outcome;
};

/// Accepts nothing and has no room for another connection: a SYN stays unanswered.
struct FullListener {
  PeerListener listener = PeerListener::tcp("127.0.0.1", 0, 0);
  Peer filler = Peer::connect(listener.address());
};

}  // namespace

TEST_CASE("the next address is tried when one refuses", "[dialer]") {
  Dialling test;
  const PeerListener server = PeerListener::tcp("127.0.0.2");
  const std::uint16_t port = server.address().port();
  Resolver resolver(*test.loop, {address("127.0.0.1", port), address("127.0.0.3", port),
                                 address("127.0.0.2", port)});
  Dialer dialer(*test.loop, &resolver, test.endpoint, std::chrono::seconds(10), nullptr,
                test.outcome);
  dialer.start();
  run_until(*test.loop, [&] { return test.outcome.known(); });
  CHECK(test.outcome.reason == "");
  CHECK(test.outcome.server == server.address().text());
  CHECK(test.outcome.failed_attempts == 2);
}

TEST_CASE("an address that does not answer is given up after the timeout", "[dialer]") {
  Dialling test;
  const FullListener mute;
  const PeerListener server = PeerListener::tcp("127.0.0.2");
  Resolver resolver(*test.loop, {mute.listener.address(), server.address()});
  Dialer dialer(*test.loop, &resolver, test.endpoint, std::chrono::milliseconds(50), nullptr,
                test.outcome);
  dialer.start();
  run_until(*test.loop, [&] { return test.outcome.known(); });
  CHECK(test.outcome.server == server.address().text());
  CHECK(test.outcome.failed_attempts == 1);
  // libuv counts whole milliseconds, from one that began before.
  CHECK(test.outcome.took > std::chrono::milliseconds(48));
}

TEST_CASE("when no address answers the reason names each", "[dialer]") {
  Dialling test;
  const FullListener mute;
  const std::uint16_t port = PeerListener::tcp("127.0.0.2").address().port();  // closed again
  Resolver resolver(*test.loop, {address("127.0.0.2", port), mute.listener.address()});
  Dialer dialer(*test.loop, &resolver, test.endpoint, std::chrono::milliseconds(50), nullptr,
                test.outcome);
  dialer.start();
  run_until(*test.loop, [&] { return test.outcome.known(); });
  CHECK(test.outcome.reason == "mx.example:25: " + address("127.0.0.2", port).text() +
                                   ": connection refused; " + mute.listener.address().text() +
                                   ": no answer within 0.05 s (2 addresses tried)");
}

TEST_CASE("an answer of the resolver serves later askers, until it expires", "[dialer]") {
  Dialling test;
  struct Asker : ResolverEvents {
    void on_resolved(const Addresses& addresses) override { answer = addresses; }
    void on_not_resolved(std::string_view) override { FAIL("localhost is known everywhere"); }
    Addresses answer;
  } asker;
  const bool expired = GENERATE(false, true);
  Resolver resolver(*test.loop, "localhost", 25,
                    expired ? Duration::zero() : Duration(std::chrono::hours(1)));
  CHECK(resolver.ask(asker) == nullptr);
  run_until(*test.loop, [&] { return asker.answer != nullptr; });
  const Addresses first = std::exchange(asker.answer, nullptr);
  if (expired) {
    CHECK(resolver.ask(asker) == nullptr);
    run_until(*test.loop, [&] { return asker.answer != nullptr; });
    CHECK(asker.answer != first);
  } else {
    CHECK(resolver.ask(asker) == first);
  }
}

TEST_CASE("a server that breaks off at once was connected to", "[dialer]") {
  Dialling test;
  PeerListener server = PeerListener::tcp("127.0.0.2");
  const PeerListener other = PeerListener::tcp("127.0.0.3");
  Resolver resolver(*test.loop, {server.address(), other.address()});
  Dialer dialer(*test.loop, &resolver, test.endpoint, std::chrono::seconds(10), nullptr,
                test.outcome);
  dialer.start();
  Peer peer;
  while (!(peer = server.accept()).is_open()) {
  }
  peer.reset();
  run_until(*test.loop, [&] { return test.outcome.known(); });
  CHECK(test.outcome.server == server.address().text());
  CHECK(test.outcome.failed_attempts == 0);
}

TEST_CASE("a dialer may be given up at any time", "[dialer]") {
  Dialling test;
  const FullListener mute;
  {
    Resolver resolver(*test.loop, {mute.listener.address()});
    Dialer dialer(*test.loop, &resolver, test.endpoint, std::chrono::seconds(10), nullptr,
                  test.outcome);
    dialer.start();
    test.loop->run_ready();
  }
  {
    Resolver resolver(*test.loop, "mx.invalid", 25);
    Dialer dialer(*test.loop, &resolver, test.endpoint, std::chrono::seconds(10), nullptr,
                  test.outcome);
    dialer.start();
  }
  test.loop->run();
  CHECK_FALSE(test.outcome.known());
}

}  // namespace smtpscope
