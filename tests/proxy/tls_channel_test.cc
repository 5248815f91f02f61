// Two channels, or a channel and something that is none, without a socket between them.

#include "proxy/tls/tls_channel.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/octets.h"
#include "parser/tls_messages.h"
#include "proxy/tls/cert_authority.h"
#include "proxy/tls/cert_parts.h"
#include "proxy/tls/tls_service.h"
#include "tests/capture/temp_folder.h"
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

TEST_CASE("whatever octet of a handshake is changed, doubled or lost, both ends come to an end") {
  enum class Harm : std::uint8_t { kChange, kDouble, kLose };
  for (const Harm harm : {Harm::kChange, Harm::kDouble, Harm::kLose}) {
    // About as many octets as both say; where they end, nothing is harmed.
    for (std::size_t victim = 0; victim < 2200; victim += victim < 300 ? 29 : 127) {
      Pair pair;
      std::size_t carried = 0;
      const auto carry = [&](TlsChannel& from, TlsChannel& to) {
        std::vector<std::uint8_t> octets(from.outgoing().begin(), from.outgoing().end());
        from.outgoing_taken();
        const bool some = !octets.empty();
        if (victim >= carried && victim < carried + octets.size()) {
          const auto at = octets.begin() + static_cast<std::ptrdiff_t>(victim - carried);
          if (harm == Harm::kChange) *at ^= 0x41;
          if (harm == Harm::kDouble) octets.insert(at, *at);
          if (harm == Harm::kLose) octets.erase(at);
        }
        carried += octets.size();
        to.receive(octets);
        CHECK(read_all(to).empty());
        return some;
      };
      pair.client->start();
      for (bool moved = true; moved;) {
        moved = carry(*pair.client, *pair.server);
        if (pair.server->stage() == Stage::kHello) {
          pair.server->answer(pair.server_side->answer(pair.server->hello(), nullptr));
        }
        moved = carry(*pair.server, *pair.client) || moved;
      }
      INFO(static_cast<int>(harm) << " at " << victim << " of " << carried);
      for (TlsChannel* each : {pair.client.get(), pair.server.get()}) {
        if (each->stage() == Stage::kHandshake) each->end_of_input();
        CHECK((each->stage() == Stage::kOpen || each->stage() == Stage::kFailed));
        CHECK(facts_of(*each).failure.empty() == (each->stage() == Stage::kOpen));
      }
      if (pair.client->stage() != Stage::kOpen || pair.server->stage() != Stage::kOpen) continue;
      pair.client->write(octets_of("EHLO x\r\n"));
      pair.carry(*pair.client, *pair.server);
      CHECK(pair.heard_by_server == "EHLO x\r\n");
    }
  }
}

TEST_CASE("a peer that goes in the middle of the handshake") {
  Pair pair;
  pair.client->start();
  pair.client->outgoing_taken();
  pair.client->end_of_input();
  CHECK(pair.client->stage() == Stage::kFailed);
  CHECK(pair.client->failed_by_peer());
  CHECK(facts_of(*pair.client).failure == "it closed without starting one");

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

namespace {

/// A server's certificate for mx.example, signed by `ca`, in files; and the CA's own.
struct Shown {
  test::TempFolder folder;
  TlsOptions server = intercepting();
  TlsOptions client = intercepting();

  Shown(const KeyHandle& key, const EVP_MD* digest) {
    const auto ca = std::move(CertAuthority::make({}).value());
    const CertificateHandle made(X509_new());
    X509* certificate = made.get();
    X509_set_version(certificate, X509_VERSION_3);
    set_random_serial(certificate);
    set_common_name(X509_get_subject_name(certificate), "mx.example");
    X509_set_issuer_name(certificate, X509_get_subject_name(ca->certificate()));
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key.get());
    add_extension(certificate, ca->certificate(), NID_subject_alt_name, "DNS:mx.example");
    REQUIRE(X509_sign(certificate, ca->key(), digest) > 0);
    std::FILE* file = std::fopen(folder.file("server.pem").c_str(), "w");
    PEM_write_X509(file, certificate);
    std::fclose(file);
    file = std::fopen(folder.file("server.key").c_str(), "w");
    PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    test::write_file(folder.file("ca.pem"), ca->certificate_pem());
    server.certificate = folder.file("server.pem");
    server.key = folder.file("server.key");
    client.insecure_upstream = false;
    client.upstream_ca = folder.file("ca.pem");
  }

  /// A handshake with whoever is to be expected; "": nobody knows.
  TlsFacts shake(const std::string& host) const {
    Pair pair;
    pair.client_side = std::move(TlsService::make(client, host).value());
    pair.server_side = std::move(TlsService::make(server, "mx.example").value());
    pair.client = pair.client_side->to_server(nullptr);
    pair.server = pair.server_side->to_client();
    pair.shake();
    return facts_of(*pair.client);
  }
};

KeyHandle key_for_ec() { return KeyHandle(EVP_EC_gen("P-256")); }

}  // namespace

TEST_CASE("it is told for whom a certificate was found to be") {
  const Shown shown(key_for_ec(), EVP_sha256());
  const TlsFacts named = shown.shake("mx.example");
  CHECK(named.completed);
  CHECK(named.verification == kCertificateVerified);
  CHECK(named.verified_name == "mx.example");

  const TlsFacts nobody = shown.shake("");
  CHECK(nobody.completed);
  CHECK(nobody.verification == kNoNameVerified);
  CHECK(nobody.verified_name.empty());

  const TlsFacts another = shown.shake("other.example");
  CHECK(!another.completed);
  CHECK(another.verification.find("ostname mismatch") != std::string::npos);
  CHECK(another.verified_name.empty());
  CHECK(!shown.shake("192.0.2.1").completed);
}

TEST_CASE("a certificate that is too weak for a mail client is too weak here") {
  const auto refusal = [](const KeyHandle& key, const EVP_MD* digest) {
    const TlsFacts facts = Shown(key, digest).shake("mx.example");
    CHECK(!facts.completed);
    return facts.verification;
  };
  CHECK(refusal(KeyHandle(EVP_RSA_gen(1024)), EVP_sha256()) == "EE certificate key too weak");
  CHECK(refusal(key_for_ec(), EVP_sha1()) == "CA signature digest algorithm too weak");
  CHECK(Shown(KeyHandle(EVP_RSA_gen(2048)), EVP_sha256()).shake("mx.example").completed);
}

TEST_CASE("what a hello asks for is told as far as the parser would tell it") {
  Pair pair;
  TlsHello large;
  large.versions = {0x0304, 0x0303};
  for (int i = 0; i < 200; ++i) {
    large.alpn.push_back(255);
    large.alpn.insert(large.alpn.end(), 255, static_cast<std::uint8_t>('a' + i % 26));
  }
  pair.client = pair.client_side->to_server(&large);
  pair.client->start();
  pair.carry(*pair.client, *pair.server);
  REQUIRE(pair.server->stage() == Stage::kHello);
  // All of it goes on to the server, some of it is told.
  CHECK(pair.server->hello().alpn == large.alpn);
  const TlsFacts facts = facts_of(*pair.server);
  REQUIRE(facts.alpn_offered.size() == ClientHello::kKeptProtocols);
  CHECK(facts.alpn_offered[7] == std::string(255, 'h'));
}

TEST_CASE("what a key log loses is told") {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> told;
  TlsOptions options = intercepting();
  options.key_log = "/dev/full";
  Pair pair;
  pair.server_side = std::move(TlsService::make(options, "mx.example", [&](std::string_view text) {
                                 const std::lock_guard lock(mutex);
                                 told.emplace_back(text);
                                 changed.notify_all();
                               }).value());
  pair.server = pair.server_side->to_client();
  pair.shake();
  REQUIRE(pair.server->stage() == Stage::kOpen);
  {
    std::unique_lock lock(mutex);
    CHECK(changed.wait_for(lock, std::chrono::seconds(60), [&] { return !told.empty(); }));
  }
  CHECK(told.front().find("the key log cannot be written: No space left on device") == 0);
  pair.server.reset();
  pair.server_side.reset();
  REQUIRE(told.size() == 2);
  // TLS 1.3 has five of them: RFC 8446 7.1, and draft-ietf-tls-keylogfile.
  CHECK(told.back().find("5 TLS secrets are missing in the key log") == 0);
}
