// Two channels, or a channel and something that is none, without a socket between them.

#include "proxy/tls_channel.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/octets.h"
#include "proxy/tls_service.h"
#include "tests/catch.h"

using namespace smtpscope;

namespace {

using Stage = TlsChannel::Stage;

TlsOptions intercepting() {
  TlsOptions options;
  options.mode = TlsMode::kIntercept;
  options.ca_folder = "";
  options.insecure_upstream = true;
  return options;
}

std::string read_all(TlsChannel& channel) {
  std::string all;
  std::vector<std::uint8_t> buffer(4096);
  while (const std::size_t taken = channel.read(buffer)) {
    all += text_of(std::span(buffer).first(taken));
  }
  return all;
}

/// A client and a server that talk to each other, each with its own service.
struct Pair {
  std::unique_ptr<TlsService> client_side, server_side;
  std::unique_ptr<TlsChannel> client, server;
  std::string heard_by_client, heard_by_server;
  std::size_t piece;

  explicit Pair(std::size_t octets_per_read = 1 << 20, TlsOptions options = intercepting())
      : piece(octets_per_read) {
    // No CA of whoever runs the test.
    setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
    client_side = std::move(TlsService::make(options, "mx.example").value());
    server_side = std::move(TlsService::make(intercepting(), "mx.example").value());
    client = client_side->to_server(nullptr);
    server = server_side->to_client();
  }

  bool carry(TlsChannel& from, TlsChannel& to) {
    const std::vector<std::uint8_t> octets(from.outgoing().begin(), from.outgoing().end());
    from.outgoing_taken();
    for (std::size_t at = 0; at < octets.size(); at += piece) {
      to.receive(std::span(octets).subspan(at, std::min(piece, octets.size() - at)));
      if (to.stage() == Stage::kHello) break;
      // As a relay does: what came is read before more does.
      (&to == client.get() ? heard_by_client : heard_by_server) += read_all(to);
    }
    return !octets.empty();
  }

  void shake() {
    client->start();
    while (true) {
      bool moved = carry(*client, *server);
      if (server->stage() == Stage::kHello) {
        server->answer(server_side->answer(server->hello(), nullptr));
        moved = true;
      }
      moved = carry(*server, *client) || moved;
      if (!moved) return;
    }
  }
};

TlsFacts facts_of(const TlsChannel& channel) {
  TlsFacts facts;
  channel.describe(facts);
  return facts;
}

}  // namespace

TEST_CASE("two ends agree and talk, however the octets are cut") {
  for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{1}, std::size_t{7}}) {
    INFO(piece);
    Pair pair(piece);
    pair.shake();
    REQUIRE(pair.client->stage() == Stage::kOpen);
    REQUIRE(pair.server->stage() == Stage::kOpen);
    const TlsFacts here = facts_of(*pair.server);
    CHECK(here.completed);
    CHECK(here.server_name == "mx.example");
    CHECK(here.version == "TLS 1.3");
    CHECK(here.versions_offered == std::vector<std::string>{"TLS 1.3", "TLS 1.2"});
    CHECK(here.ciphers_offered > 0);
    REQUIRE(here.certificates.size() == 1);
    CHECK(here.certificates[0].names == std::vector<std::string>{"mx.example"});
    const TlsFacts there = facts_of(*pair.client);
    CHECK(there.certificates.size() == 2);
    CHECK(there.certificates[0].fingerprint == here.certificates[0].fingerprint);
    // The CA is one of the run's own: told, and not insisted on.
    CHECK(there.verification.find("self-signed") != std::string::npos);

    pair.client->write(octets_of("EHLO x\r\n"));
    pair.carry(*pair.client, *pair.server);
    CHECK(pair.heard_by_server == "EHLO x\r\n");
    const std::string large(100'000, 'x');
    pair.server->write(octets_of(large));
    pair.carry(*pair.server, *pair.client);
    CHECK((pair.heard_by_client == large));
    pair.client->finish();
    pair.carry(*pair.client, *pair.server);
    CHECK(pair.server->stage() == Stage::kClosed);
    // RFC 8446 6.1: the other direction goes on.
    pair.server->write(octets_of("221\r\n"));
    pair.carry(*pair.server, *pair.client);
    CHECK((pair.heard_by_client == large + "221\r\n"));
    CHECK(pair.server->take_alerts().empty());
  }
}

TEST_CASE("what is no TLS fails the handshake and is told apart") {
  for (const std::string_view garbage : {"EHLO x\r\n", "\x16\x05 nonsense", "\x80\x2e\x01\x03"}) {
    Pair pair;
    pair.server->receive(octets_of(garbage));
    for (int i = 0; i < 9; ++i) pair.server->receive(octets_of("NOOP and more octets\r\n"));
    INFO(garbage);
    CHECK(pair.server->stage() == Stage::kFailed);
    CHECK(!facts_of(*pair.server).completed);
    CHECK(!facts_of(*pair.server).failure.empty());
    CHECK(pair.server->heard_garbage() == (garbage[0] != '\x16' || garbage[1] != '\x03'));
  }
}

TEST_CASE("a peer that goes in the middle of the handshake") {
  Pair pair;
  pair.client->start();
  pair.client->outgoing_taken();
  pair.client->end_of_input();
  CHECK(pair.client->stage() == Stage::kFailed);
  CHECK(pair.client->failed_by_peer());
  CHECK(facts_of(*pair.client).failure == "it closed without having begun one");

  Pair other;
  other.client->start();
  other.carry(*other.client, *other.server);
  REQUIRE(other.server->stage() == Stage::kHello);
  other.server->end_of_input();
  CHECK(other.server->stage() == Stage::kFailed);
  CHECK(facts_of(*other.server).failure == "it closed in the middle of the handshake");
}

TEST_CASE("a refusal at the ClientHello reaches the client as that alert") {
  Pair pair;
  pair.client->start();
  pair.carry(*pair.client, *pair.server);
  REQUIRE(pair.server->stage() == Stage::kHello);
  pair.server->refuse(70, "the server said so");
  CHECK(pair.server->stage() == Stage::kFailed);
  CHECK(!pair.server->failed_by_peer());
  CHECK(facts_of(*pair.server).failure == "the server said so");
  pair.carry(*pair.server, *pair.client);
  CHECK(pair.client->stage() == Stage::kFailed);
  CHECK(pair.client->failed_by_peer());
  CHECK(facts_of(*pair.client).alert == 70);
  CHECK(facts_of(*pair.client).failure.find("no TLS version in common") != std::string::npos);
}

TEST_CASE("a client that verifies says unknown_ca, and both ends know whose doing it is") {
  TlsOptions options = intercepting();
  options.insecure_upstream = false;
  Pair pair(1 << 20, options);
  pair.shake();
  CHECK(pair.client->stage() == Stage::kFailed);
  CHECK(!pair.client->failed_by_peer());
  CHECK(facts_of(*pair.client).failure.find("its certificate is not accepted") == 0);
  CHECK(pair.server->stage() == Stage::kFailed);
  CHECK(pair.server->failed_by_peer());
  CHECK(facts_of(*pair.server).alert == 48);
}

TEST_CASE("what comes behind a ClientHello that waits is bounded") {
  Pair pair;
  pair.client->start();
  pair.carry(*pair.client, *pair.server);
  REQUIRE(pair.server->stage() == Stage::kHello);
  const std::string storm(TlsChannel::kMostHeld, 'x');
  pair.server->receive(octets_of(storm));
  CHECK(pair.server->stage() == Stage::kHello);
  pair.server->receive(octets_of("x"));
  CHECK(pair.server->stage() == Stage::kFailed);
}
