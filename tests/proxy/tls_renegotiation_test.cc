// A server of the other side that asks for another handshake inside of the connection:
// CVE-2009-3555 is why nobody should, and no relay could follow it.

#include <cstdlib>
#include <memory>
#include <utility>

#include "proxy/tls/tls_service.h"
#include "tests/catch.h"
#include "tests/proxy/plain_tls_server.h"

using namespace smtpscope;

TEST_CASE("a server that wants to renegotiate is refused") {
  setenv("XDG_CONFIG_HOME", "/nonexistent", 1);  // no CA of whoever runs the test
  TlsOptions options;
  options.mode = TlsMode::kIntercept;
  options.insecure_upstream = true;
  const auto service = std::move(TlsService::make(options, "mx.example").value());
  const std::unique_ptr<TlsChannel> client = service->to_server(nullptr);
  test::PlainTlsServer server(TLS1_2_VERSION);
  client->start();
  server.talk_with(*client);
  REQUIRE(client->stage() == TlsChannel::Stage::kOpen);
  REQUIRE(server.shaken());

  server.renegotiate();
  server.talk_with(*client);
  CHECK(server.alert == SSL_AD_NO_RENEGOTIATION);
  CHECK(!server.shaken());
}
