#include "capture/certificate.h"

#include <fstream>
#include <string>
#include <variant>

#include "base/octets.h"
#include "parser/conversation.h"
#include "tests/catch.h"

using namespace smtpscope;

namespace {

/// What a real OpenSSL shows in the handshake of tests/parser/tls/tls12.txt, as DER.
std::vector<std::string> shown_certificates() {
  std::ifstream file(SMTPSCOPE_SOURCE_DIR "/tests/parser/tls/tls12.txt");
  REQUIRE(file);
  Conversation conversation;
  std::vector<std::string> certificates;
  const auto say = [&](Side side, const std::string& octets) {
    conversation.receive(side, octets_of(octets));
    while (const Item* item = conversation.next()) {
      const auto* record = std::get_if<TlsRecord>(&item->body);
      if (record == nullptr || record->messages == nullptr) continue;
      if (const auto& chain = record->messages->certificates) certificates = chain->certificates;
    }
  };
  say(Side::kServer, "220 a\r\n");
  say(Side::kClient, "STARTTLS\r\n");
  say(Side::kServer, "220 go\r\n");
  std::string side, hex;
  while (file >> side >> hex) {
    std::string octets;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
      octets += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    say(side == "C" ? Side::kClient : Side::kServer, octets);
  }
  return certificates;
}

}  // namespace

TEST_CASE("a certificate tells whom it is for, who signed it, until when") {
  const std::vector<std::string> shown = shown_certificates();
  REQUIRE(shown.size() == 2);
  const auto own = read_certificate(octets_of(shown[0]));
  REQUIRE(own);
  CHECK(own->subject == "CN=mail.example");
  CHECK(own->issuer == "O=Example, CN=Example Root");
  CHECK(own->names == std::vector<std::string>{"mail.example", "*.mx.example"});
  CHECK(own->key == "EC P-256");
  CHECK(own->not_before.size() == std::string_view("2026-01-01T00:00:00Z").size());
  CHECK(own->not_before < own->not_after);
  CHECK(own->fingerprint.size() == 64);
  CHECK_FALSE(own->self_issued());

  const auto root = read_certificate(octets_of(shown[1]));
  REQUIRE(root);
  CHECK(root->key == "RSA 2048");
  CHECK(root->self_issued());
  CHECK(root->names.empty());
}

TEST_CASE("what is no certificate, or cut, or overwritten, is none") {
  CHECK_FALSE(read_certificate({}));
  CHECK_FALSE(read_certificate(octets_of("no certificate")));
  const std::string whole = shown_certificates().front();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    REQUIRE_FALSE(read_certificate(octets_of(whole.substr(0, size))));
  }
  CHECK_FALSE(read_certificate(octets_of(std::string(whole.size(), '#'))));
  // Every octet in turn becomes another one: read without a fault, whatever it then says.
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0xff);
    if (const auto read = read_certificate(octets_of(changed))) CHECK_FALSE(read->names_host(""));
  }
}

TEST_CASE("a certificate names a host as mail clients match it (RFC 6125 6.4.3)") {
  TlsCertificate certificate;
  certificate.names = {"mail.example", "*.mx.example"};
  CHECK(certificate.names_host("MAIL.example"));
  CHECK(certificate.names_host("a.mx.example"));
  CHECK_FALSE(certificate.names_host("mx.example"));
  CHECK_FALSE(certificate.names_host("a.b.mx.example"));
  CHECK_FALSE(certificate.names_host("mx1.example"));

  certificate = {};
  certificate.subject = "O=Example, CN=mail.example";
  CHECK(certificate.names_host("mail.example"));
  CHECK_FALSE(certificate.names_host("Example"));

  certificate.names.assign(TlsCertificate::kMostNames, "other.example");
  CHECK(certificate.names_host("mail.example"));  // maybe one of those that were not kept
}
