// An interception between a client and a server that speak TLS, without a socket: what the kernel
// would take is the script's to say.

#include "proxy/interception.h"

#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "base/octets.h"
#include "tests/catch.h"
#include "tests/proxy/recording_tap.h"

using namespace smtpscope;

namespace {

using Stage = TlsChannel::Stage;
constexpr Side kClient = Side::kClient;
constexpr Side kServer = Side::kServer;

/// The two connections, and a kernel that takes octets only while it has room.
class Wire : public RelayPort {
 public:
  struct End {
    std::string taken, queued;
    bool full = false;
    bool paused = false;
    bool finished = false;
    bool closed = false;
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
  void finish(Side to) override { ends[index(to)].finished = true; }
  void close(Side side, bool) override { ends[index(side)].closed = true; }
  void pause_reading(Side from) override { set_paused(from, true); }
  void resume_reading(Side from) override { set_paused(from, false); }
  bool is_broken(Side) override { return false; }
  void set_deadline(Time) override {}
  void session_ended() override { ended = true; }

 private:
  void set_paused(Side from, bool paused) {
    CHECK(ends[index(from)].paused != paused);
    ends[index(from)].paused = paused;
  }
};

TlsOptions intercepting() {
  // No CA of whoever runs the test.
  setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
  TlsOptions options;
  options.mode = TlsMode::kIntercept;
  options.insecure_upstream = true;
  return options;
}

/// A client and a server at the ends of an interception.
class Between {
 public:
  Wire wire;
  std::unique_ptr<TlsChannel> client, server;
  std::string client_heard, server_heard;  // inside TLS

  explicit Between(bool from_the_first_octet)
      : tap_(run_.open(1)),
        service_(std::move(TlsService::make(intercepting(), "mx.example").value())),
        client_service_(std::move(TlsService::make(intercepting(), "mx.example").value())),
        server_service_(std::move(TlsService::make(intercepting(), "mx.example").value())),
        tls_(1, *service_, from_the_first_octet, wire, relay_, tap_.get()),
        relay_(1, tls_, tap_.get()) {
    client = client_service_->to_server(nullptr);
    server = server_service_->to_client();
    relay_.begin(now_, SessionOpened{});
    tls_.upstream_ready(now_, UpstreamReady{}, "[127.0.0.1]");
  }

  const RecordingTap::Seen& seen() { return run_.sessions[1]; }
  Wire::End& end(Side side) { return wire.ends[index(side)]; }

  void say(Side side, std::string_view octets) { tls_.from_peer(now_, side, octets_of(octets)); }
  void leave(Side side) { tls_.peer_closed(now_, PeerClosed{side, CloseKind::kFin, {}}); }
  /// The kernel has room again.
  void drain(Side side) {
    Wire::End& own = end(side);
    own.full = false;
    own.taken += std::exchange(own.queued, {});
    tls_.drained(now_, side);
  }
  std::string take(Side side) { return std::exchange(end(side).taken, {}); }

  /// Octets of the peer's TLS go over its connection, as far as it is read from.
  bool speak(Side side) {
    TlsChannel& peer = side == kClient ? *client : *server;
    const std::vector<std::uint8_t> octets(peer.outgoing().begin(), peer.outgoing().end());
    peer.outgoing_taken();
    if (octets.empty()) return false;
    tls_.from_peer(now_, side, octets);
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
  void write(Side side, std::string_view text) {
    (side == kClient ? *client : *server).write(octets_of(text));
    speak(side);
  }

 private:
  RecordingTap run_;
  std::unique_ptr<SessionTap> tap_;
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
