// Handshakes of a real OpenSSL (make_tls_handshakes.py), at every split.

#include <fstream>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/parser/describe_item.h"
#include "tests/parser/dialogue.h"

using namespace smtpscope;
using namespace smtpscope::test;

namespace {

Script recorded(const std::string& name) {
  std::ifstream file(std::string(SMTPSCOPE_SOURCE_DIR "/tests/parser/tls/") + name + ".txt");
  REQUIRE(file);
  Script script = {S("220 a\r\n"), C("STARTTLS\r\n"), S("220 go\r\n")};
  std::string side, hex;
  while (file >> side >> hex) {
    std::string octets;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
      octets += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    script.push_back(side == "C" ? C(octets) : S(octets));
  }
  return script;
}

/// The items behind the 220 to STARTTLS.
std::vector<std::string> tls_items(const Script& script) {
  std::vector<std::string> items =
      run(script, Conversation::Start::kBeginning, [] { return ~std::size_t{0}; }).items;
  items.erase(items.begin(), items.begin() + 3);
  return items;
}

void check(const Script& script) {
  constexpr std::size_t kChunks = 48;
  CHECK(find_fault(script, Conversation::Start::kBeginning, kChunks, 20) == "");
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The octets of a script's step as records that hold so many octets each.
std::string in_records_of(const std::string& octets, std::size_t size) {
  std::string result;
  for (std::size_t at = 0; at + 5 <= octets.size();) {
    const std::size_t length = static_cast<std::size_t>(static_cast<unsigned char>(octets[at + 3]))
                                   << 8 |
                               static_cast<unsigned char>(octets[at + 4]);
    const std::string body = octets.substr(at + 5, length);
    for (std::size_t i = 0; i < body.size(); i += size) {
      const std::string piece = body.substr(i, size);
      result += octets.substr(at, 3);
      result += static_cast<char>(piece.size() >> 8);
      result += static_cast<char>(piece.size() & 0xff);
      result += piece;
    }
    at += 5 + length;
  }
  return result;
}

}  // namespace

TEST_CASE("a TLS 1.2 handshake tells hellos and certificates") {
  const Script script = recorded("tls12");
  const std::vector<std::string> items = tls_items(script);
  CAPTURE(items);
  CHECK(contains(items[0], "C TLS 22"));
  CHECK(contains(items[0], "sni=mail.example alpn=smtp"));
  std::string all;
  for (const std::string& item : items) all += item + '\n';
  CHECK(contains(all, "server-hello[TLS 1.2 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 alpn=smtp]"));
  CHECK(contains(all, "certificates[2 "));
  CHECK_FALSE(contains(all, "unreadable"));
  check(script);
}

TEST_CASE("a resumed TLS 1.2 session shows no certificate") {
  const Script script = recorded("tls12_resumed");
  const std::vector<std::string> items = tls_items(script);
  CAPTURE(items);
  CHECK(contains(items[0], "resumes]"));
  CHECK(contains(items[1], " resumed]"));
  for (const std::string& item : items) CHECK_FALSE(contains(item, "certificates["));
  check(script);
}

TEST_CASE("before TLS 1.3 an alert about the certificate is in the clear") {
  const Script script = recorded("tls12_unknown_ca");
  const std::vector<std::string> items = tls_items(script);
  CAPTURE(items);
  CHECK(items.back() == "C TLS 21 2 alert=2/48");
  check(script);
}

TEST_CASE("in TLS 1.3 only the hellos can be read") {
  const Script script = recorded("tls13");
  const std::vector<std::string> items = tls_items(script);
  CAPTURE(items);
  CHECK(contains(items[0], "..772 suites="));
  CHECK(contains(items[1], "server-hello[TLS 1.3 TLS_AES_256_GCM_SHA384 alpn=]"));
  check(script);
}

TEST_CASE("a HelloRetryRequest is followed by another ClientHello behind ChangeCipherSpec") {
  const Script script = recorded("tls13_retry");
  const std::vector<std::string> items = tls_items(script);
  CAPTURE(items);
  std::size_t client_hellos = 0, server_hellos = 0, retries = 0;
  for (const std::string& item : items) {
    client_hellos += contains(item, "client-hello[") ? 1 : 0;
    server_hellos += contains(item, "server-hello[TLS 1.3") ? 1 : 0;
    retries += contains(item, " retry]") ? 1 : 0;
  }
  CHECK(client_hellos == 2);
  CHECK(server_hellos == 2);
  CHECK(retries == 1);
  check(script);
}

TEST_CASE("a server that wants another version says so in the clear") {
  const Script script = recorded("protocol_version");
  const std::vector<std::string> items = tls_items(script);
  CAPTURE(items);
  REQUIRE(items.size() == 2);
  CHECK(contains(items[0], "..771 suites="));
  CHECK(items[1] == "S TLS 21 2 alert=2/70");
  check(script);
}

TEST_CASE("handshake messages are read across records") {
  Script script = recorded("tls12_unknown_ca");
  const std::size_t size = GENERATE(1U, 3U, 100U, 500U);
  script[3].octets = in_records_of(script[3].octets, size);
  script[4].octets = in_records_of(script[4].octets, size);
  std::string all;
  for (const std::string& item : tls_items(script)) all += item + '\n';
  CAPTURE(all);
  CHECK(contains(all, "sni=mx1.example"));
  CHECK(contains(all, "server-hello[TLS 1.2"));
  CHECK(contains(all, "certificates[2 "));
  CHECK(contains(all, "open=11"));
}

TEST_CASE("a hole in a handshake leaves what is behind it unread") {
  Script script = recorded("tls12_unknown_ca");
  const std::string flight = script[4].octets;
  script[4].octets = flight.substr(0, 300);
  script.insert(script.begin() + 5, {gap(Side::kServer, 200), S(flight.substr(500))});
  std::string all;
  for (const std::string& item : tls_items(script)) all += item + '\n';
  CAPTURE(all);
  CHECK(contains(all, "server-hello[TLS 1.2"));
  CHECK_FALSE(contains(all, "certificates["));
}

TEST_CASE("hostile handshakes are read as far as their lengths fit") {
  Script script = recorded("tls12_unknown_ca");
  // Every octet of hello and certificates in turn becomes another one: nothing is asserted but that
  // each is read without a fault and tiles the stream.
  const std::size_t step = GENERATE(3U, 4U);
  for (std::size_t at = 5; at < script[step].octets.size(); ++at) {
    Script changed = script;
    changed[step].octets[at] = static_cast<char>(changed[step].octets[at] ^ 0xff);
    const Outcome outcome =
        run(changed, Conversation::Start::kBeginning, [] { return ~std::size_t{0}; });
    REQUIRE(outcome.complaint == "");
  }
}
