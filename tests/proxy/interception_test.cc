// An interception between a client and a server that speak TLS, without a socket: what the kernel
// would take is the script's to say.

#include "proxy/tls/interception.h"

#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "base/octets.h"
#include "proxy/relay.h"
#include "tests/catch.h"
#include "tests/proxy/recording_observer.h"

using namespace smtpscope;

namespace {

using Stage = TlsChannel::Stage;
constexpr Side kClient = Side::kClient;
constexpr Side kServer = Side::kServer;

/// The two connections, and a kernel that takes octets only while it has room.
class Wire : public Outward, public RelayHost {
 public:
  struct End {
    std::string taken, queued;
    bool full = false;
    bool paused = false;
    bool finished = false;
    bool closed = false;
    bool reset = false;
  };
  std::array<End, 2> ends;
  bool ended = false;

  Sent send_to(Side to, std::span<const std::uint8_t> octets) override {
    End& end = ends[index(to)];
    CHECK_FALSE(end.finished);
    if (end.full || !end.queued.empty()) {
      end.queued += text_of(octets);
      return {octets.size(), false};
    }
    end.taken += text_of(octets);
    return {0, false};
  }
  void finish(Side to, bool) override { ends[index(to)].finished = true; }
  void close(Side side, bool reset) override {
    ends[index(side)].closed = true;
    ends[index(side)].reset = reset;
  }
  void pause_reading(Side from) override { set_paused(from, true); }
  void resume_reading(Side from) override { set_paused(from, false); }
  bool is_broken(Side) override { return false; }
  bool holds(Side) override { return false; }
  std::string own_name() override { return "[127.0.0.1]"; }
  void set_deadline(Time) override {}
  void ask_fate() override {}
  void session_ended() override { ended = true; }

 private:
  void set_paused(Side from, bool paused) {
    CHECK(ends[index(from)].paused != paused);
    ends[index(from)].paused = paused;
  }
};

TlsOptions options_for(UpstreamTls upstream = UpstreamTls::kSame) {
  // No CA of whoever runs the test.
  setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
  TlsOptions options;
  options.mode = TlsMode::kIntercept;
  options.insecure_upstream = true;
  options.upstream = upstream;
  return options;
}

/// A client and a server at the ends of an interception.
class Between {
 public:
  Wire wire;
  std::unique_ptr<TlsChannel> client, server;
  std::string client_heard, server_heard;  // inside TLS

  explicit Between(bool from_the_first_octet, UpstreamTls upstream = UpstreamTls::kSame)
      : observer_(run_.open(1)),
        service_(std::move(TlsService::make(options_for(upstream), "mx.example").value())),
        client_service_(std::move(TlsService::make(options_for(), "mx.example").value())),
        server_service_(std::move(TlsService::make(options_for(), "mx.example").value())),
        tls_(1, *service_, "mx.example", from_the_first_octet, observer_.get()),
        relay_(1, tls_, wire, observer_.get()) {
    tls_.join(relay_, wire);
    client = client_service_->to_server(nullptr);
    server = server_service_->to_client();
    relay_.begin(now_, SessionOpened{});
    tls_.handle(now_, UpstreamReady{});
  }

  const RecordingObserver::Seen& seen() { return run_.sessions[1]; }
  Wire::End& end(Side side) { return wire.ends[index(side)]; }

  void say(Side side, std::string_view octets) {
    tls_.handle(now_, FromPeer{side, octets_of(octets)});
  }
  void leave(Side side, CloseKind kind = CloseKind::kFin) {
    tls_.handle(now_, PeerClosed{side, kind, {}});
  }
  /// The kernel has room again.
  void drain(Side side) {
    Wire::End& own = end(side);
    own.full = false;
    own.taken += std::exchange(own.queued, {});
    tls_.handle(now_, WriteDrained{side});
  }
  std::string take(Side side) { return std::exchange(end(side).taken, {}); }

  /// Octets of the peer's TLS go over its connection, as far as it is read from.
  bool speak(Side side) {
    TlsChannel& peer = side == kClient ? *client : *server;
    const std::vector<std::uint8_t> octets(peer.outgoing().begin(), peer.outgoing().end());
    peer.outgoing_taken();
    if (octets.empty()) return false;
    tls_.handle(now_, FromPeer{side, octets});
    return true;
  }
  /// The peer reads what lies for it.
  bool listen(Side side) {
    TlsChannel& peer = side == kClient ? *client : *server;
    const std::string octets = take(side);
    if (octets.empty()) return false;
    peer.receive(octets_of(octets));
    if (peer.stage() == Stage::kHello) peer.answer(server_service_->answer(peer.hello(), nullptr));
    std::array<std::uint8_t, 4096> buffer{};
    while (const std::size_t size = peer.read(buffer)) {
      (side == kClient ? client_heard : server_heard) += text_of(std::span(buffer).first(size));
    }
    return true;
  }
  /// Both go on until nobody has anything to say.
  void settle() {
    bool moved = true;
    while (moved) {
      moved = false;
      for (const Side side : {kClient, kServer}) {
        moved = listen(side) || moved;
        moved = speak(side) || moved;
      }
    }
  }
  void start() {
    client->start();
    speak(kClient);
  }
  /// Both are in TLS, but the client's last message of the handshake has not come through.
  void shake_hands_but_for_the_last() {
    for (int i = 0; i < 4 && client->stage() != Stage::kOpen; ++i) {
      listen(kServer);
      speak(kServer);
      listen(kClient);
    }
    listen(kServer);
    REQUIRE(client->stage() == Stage::kOpen);
    REQUIRE(server->stage() == Stage::kOpen);
  }
  void write(Side side, std::string_view text) {
    (side == kClient ? *client : *server).write(octets_of(text));
    speak(side);
  }

 private:
  RecordingObserver run_;
  std::unique_ptr<SessionObserver> observer_;
  std::unique_ptr<TlsService> service_, client_service_, server_service_;
  Interception tls_;
  Relay relay_;
  Time now_;
};

}  // namespace

TEST_CASE("both sides turn to TLS at a STARTTLS that was granted") {
  Between between(false);
  between.say(kServer, "220 mx.example ESMTP\r\n");
  between.say(kClient, "EHLO c.example\r\n");
  between.say(kServer, "250-mx.example\r\n250 STARTTLS\r\n");
  between.say(kClient, "STARTTLS\r\n");
  CHECK(between.take(kServer) == "EHLO c.example\r\nSTARTTLS\r\n");
  between.say(kServer, "220 go ahead\r\n");
  CHECK(between.take(kClient) ==
        "220 mx.example ESMTP\r\n250-mx.example\r\n250 STARTTLS\r\n220 go ahead\r\n");
  between.start();
  between.settle();
  REQUIRE(between.client->stage() == Stage::kOpen);
  REQUIRE(between.server->stage() == Stage::kOpen);
  between.write(kClient, "EHLO c.example\r\n");
  between.settle();
  CHECK(between.server_heard == "EHLO c.example\r\n");
  between.write(kServer, "250 mx.example\r\n");
  between.settle();
  CHECK(between.client_heard == "250 mx.example\r\n");
  CHECK(between.seen().octets[index(kClient)] ==
        "EHLO c.example\r\nSTARTTLS\r\nEHLO c.example\r\n");
  CHECK(between.seen().undelivered[index(kClient)].empty());
}

TEST_CASE("a FIN waits behind what waits for the handshake") {
  Between between(true);
  between.start();
  // The server is in TLS, and has greeted; the client's handshake has begun, and is slow.
  between.end(kClient).full = true;
  for (int i = 0; i < 4; ++i) {
    between.listen(kServer);
    between.speak(kServer);
  }
  REQUIRE(between.server->stage() == Stage::kOpen);
  between.write(kServer, "421 too busy\r\n");
  between.server->finish();
  between.speak(kServer);
  between.leave(kServer);
  CHECK_FALSE(between.end(kClient).finished);
  // The handshake's own octets are with the kernel: the reply is not yet.
  between.drain(kClient);
  CHECK_FALSE(between.end(kClient).finished);
  between.settle();
  CHECK(between.client->stage() == Stage::kClosed);
  CHECK(between.client_heard == "421 too busy\r\n");
  CHECK(between.end(kClient).finished);
}

TEST_CASE("a reset waits behind what waits for the handshake") {
  Between between(true);
  between.start();
  between.shake_hands_but_for_the_last();
  between.write(kServer, "421 too busy\r\n");
  between.leave(kServer, CloseKind::kReset);
  CHECK_FALSE(between.end(kClient).closed);
  between.settle();
  CHECK(between.client_heard == "421 too busy\r\n");
  CHECK(between.end(kClient).closed);
  CHECK(between.end(kClient).reset);
}

TEST_CASE("a FIN and a reset behind it wait for the handshake, in this order") {
  for (const std::string_view said : {"421 too busy\r\n", ""}) {
    Between between(true);
    between.start();
    between.shake_hands_but_for_the_last();
    if (!said.empty()) between.write(kServer, said);
    between.server->finish();
    between.speak(kServer);
    between.leave(kServer, CloseKind::kReset);
    CHECK_FALSE(between.end(kClient).closed);
    between.settle();
    CHECK(between.client_heard == said);
    CHECK(between.end(kClient).finished);
    CHECK(between.client->stage() == Stage::kClosed);
    CHECK(between.end(kClient).closed);
    CHECK(between.end(kClient).reset);
  }
}

TEST_CASE("a reset waits for a FIN that the kernel has no room for") {
  Between between(true);
  between.start();
  between.settle();
  REQUIRE(between.client->stage() == Stage::kOpen);
  between.end(kClient).full = true;
  between.server->finish();
  between.speak(kServer);
  between.leave(kServer, CloseKind::kReset);
  CHECK_FALSE(between.end(kClient).closed);
  between.drain(kClient);
  between.settle();
  CHECK(between.end(kClient).finished);
  CHECK(between.client->stage() == Stage::kClosed);
  CHECK(between.end(kClient).reset);
}

TEST_CASE("a reset does not wait for a handshake that has failed") {
  Between between(true);
  between.start();
  between.end(kClient).full = true;
  for (int i = 0; i < 4; ++i) {
    between.listen(kServer);
    between.speak(kServer);
  }
  REQUIRE(between.server->stage() == Stage::kOpen);
  between.write(kServer, "421 too busy\r\n");
  between.leave(kServer, CloseKind::kReset);
  CHECK_FALSE(between.end(kClient).closed);
  between.leave(kClient, CloseKind::kReset);
  CHECK(between.end(kClient).closed);
  CHECK(between.wire.ended);
}

TEST_CASE("a peer that does not read what TLS says is not read from") {
  Between between(true);
  between.start();
  between.end(kClient).full = true;
  between.listen(kServer);
  between.speak(kServer);
  between.listen(kServer);
  CHECK_FALSE(between.end(kClient).queued.empty());
  CHECK(between.end(kClient).paused);
  CHECK_FALSE(between.end(kServer).paused);
  between.drain(kClient);
  CHECK_FALSE(between.end(kClient).paused);
  between.settle();
  CHECK(between.client->stage() == Stage::kOpen);
}

TEST_CASE("a client whose server breaks off the handshake gets its alert") {
  Between between(true);
  between.start();
  between.leave(kServer);
  between.listen(kClient);
  CHECK(between.client->stage() == Stage::kFailed);
  CHECK(between.client->failed_by_peer());
  CHECK(between.end(kClient).finished);
  between.leave(kClient);
  CHECK(between.wire.ended);
  CHECK(between.seen().ended);
  CHECK(between.seen().in_order);
}

namespace {

/// Both sides in TLS from the first octet, and open.
struct Open : Between {
  Open() : Between(true) {
    start();
    settle();
    REQUIRE(client->stage() == Stage::kOpen);
    REQUIRE(server->stage() == Stage::kOpen);
  }
  TlsChannel& channel(Side side) { return side == kClient ? *client : *server; }
};

}  // namespace

TEST_CASE("a close_notify is passed on as one, and told as the ordinary end") {
  Open between;
  const Side side = GENERATE(kClient, kServer);
  const Side rest = other(side);
  between.write(side, "last words");
  between.channel(side).finish();
  between.speak(side);
  between.settle();
  CHECK((side == kClient ? between.server_heard : between.client_heard) == "last words");
  CHECK(between.channel(rest).stage() == Stage::kClosed);
  CHECK(between.end(rest).finished);
  between.leave(side);  // the FIN tells nothing new
  CHECK(between.seen().events.back() == "closed " + std::string(to_string(side)) + " fin");
}

TEST_CASE("a FIN without a close_notify is passed on without one, and told") {
  Open between;
  const Side side = GENERATE(kClient, kServer);
  const Side rest = other(side);
  between.write(side, "last wor");
  between.leave(side);
  between.settle();
  CHECK((side == kClient ? between.server_heard : between.client_heard) == "last wor");
  CHECK(between.channel(rest).stage() == Stage::kOpen);
  CHECK(between.end(rest).finished);
  CHECK(between.seen().events.back() ==
        "closed " + std::string(to_string(side)) +
            " fin: without a close_notify of TLS: what it said may be cut short");
}

TEST_CASE("a truncation waits behind what the kernel has not taken") {
  Open between;
  between.end(kClient).full = true;
  between.write(kServer, "250 half a re");
  between.leave(kServer);
  CHECK_FALSE(between.end(kClient).finished);
  between.drain(kClient);
  CHECK(between.end(kClient).finished);
  between.settle();
  CHECK(between.client_heard == "250 half a re");
  CHECK(between.client->stage() == Stage::kOpen);
}

TEST_CASE("a reset inside TLS is passed on as one, also behind a close_notify") {
  Open between;
  const bool notified = GENERATE(false, true);
  if (notified) {
    between.server->finish();
    between.speak(kServer);
    between.settle();
    REQUIRE(between.client->stage() == Stage::kClosed);
  }
  between.leave(kServer, CloseKind::kReset);
  CHECK(between.end(kClient).reset);
  CHECK(between.seen().events[between.seen().events.size() - 2] == "closed server reset");
  CHECK(between.seen().ended);
  if (!notified) CHECK(between.client->stage() == Stage::kOpen);
}

TEST_CASE("a part of a line before the server's close_notify reaches a client in the clear") {
  Between between(false, UpstreamTls::kImplicit);
  between.settle();
  REQUIRE(between.server->stage() == Stage::kOpen);
  SECTION("while a reply to EHLO is waited for") {
    between.write(kServer, "220 mx.example\r\n");
    between.say(kClient, "EHLO c.example\r\n");
    between.take(kClient);
    between.write(kServer, "250-mx.exam");
    CHECK(between.take(kClient).empty());  // it may yet offer STARTTLS
    between.server->finish();
    between.speak(kServer);
    CHECK(between.take(kClient) == "250-mx.exam");
  }
  SECTION("of the greeting") {
    between.write(kServer, "220 mx.exam");
    between.server->finish();
    between.speak(kServer);
    CHECK(between.take(kClient) == "220 mx.exam");
  }
  CHECK(between.end(kClient).finished);
  CHECK(between.seen().undelivered[index(kServer)].empty());
}

TEST_CASE("the second close_notify is passed on like the first", "[tls]") {
  Open between;
  const Side first = GENERATE(kClient, kServer);
  for (const Side side : {first, other(first)}) {
    between.channel(side).finish();
    between.speak(side);
    between.settle();
  }
  CHECK(between.client->stage() == Stage::kClosed);
  CHECK(between.server->stage() == Stage::kClosed);
  CHECK(between.seen().ended);
}

TEST_CASE("a server that closes while its client finishes the handshake gets what that says") {
  Between between(true);
  between.start();
  // Up to the client's last message of the handshake, which is kept for a while.
  between.shake_hands_but_for_the_last();
  between.server->finish();
  between.speak(kServer);
  between.leave(kServer);
  CHECK_FALSE(between.end(kClient).finished);
  between.write(kClient, "EHLO c.example\r\n");
  between.settle();
  CHECK(between.client->stage() == Stage::kClosed);
  CHECK(between.end(kClient).finished);
  CHECK(between.server_heard == "EHLO c.example\r\n");
}
