// What is too weak for a connection that smtpscope makes for itself, and what is left to a client
// that makes its own.

#include <cstdlib>
#include <memory>
#include <utility>

#include "proxy/tls/tls_service.h"
#include "tests/catch.h"
#include "tests/proxy/plain_tls_server.h"

using namespace smtpscope;

namespace {

std::unique_ptr<TlsService> service() {
  setenv("XDG_CONFIG_HOME", "/nonexistent", 1);  // no CA of whoever runs the test
  TlsOptions options;
  options.mode = TlsMode::kIntercept;
  options.insecure_upstream = true;
  return std::move(TlsService::make(options, "mx.example").value());
}

/// A client's hello that knows this version and no other.
TlsHello hello_of(std::uint16_t version) {
  TlsHello hello;
  hello.versions = {version};
  return hello;
}

/// `client` gets into TLS with a server that can do no better than this.
bool shakes(TlsChannel& client, int version, const char* signs_with) {
  test::PlainTlsServer server(version);
  REQUIRE(server.sign_with(signs_with));
  client.start();
  server.talk_with(client);
  return server.shaken() && client.stage() == TlsChannel::Stage::kOpen;
}

}  // namespace

// OpenSSL's level 1 asks for 80 bits, which a signature of SHA-1 has no more.
TEST_CASE("a handshake that is signed with SHA-1 is none for smtpscope itself") {
  const auto own = service();
  CHECK(shakes(*own->to_server(nullptr), TLS1_2_VERSION, "ECDSA+SHA256"));
  CHECK(!shakes(*own->to_server(nullptr), TLS1_2_VERSION, "ECDSA+SHA1"));
}

TEST_CASE("nor is a version that is older than 1.2") {
  CHECK(!shakes(*service()->to_server(nullptr), TLS1_1_VERSION, "ECDSA+SHA1"));
}

TEST_CASE("a client that can do no better is not kept from its server") {
  const auto passed_on = service();
  const TlsHello recent = hello_of(TLS1_2_VERSION), old = hello_of(TLS1_VERSION);
  CHECK(shakes(*passed_on->to_server(&recent), TLS1_2_VERSION, "ECDSA+SHA1"));
  CHECK(shakes(*passed_on->to_server(&old), TLS1_VERSION, "ECDSA+SHA1"));
}
