// The CA and what it signs.

#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "proxy/tls/cert_authority.h"
#include "proxy/tls/cert_mint.h"
#include "proxy/tls/tls_facts.h"
#include "tests/capture/temp_folder.h"
#include "tests/catch.h"

using namespace smtpscope;

namespace {

std::unique_ptr<CertAuthority> some_ca(CertAuthority::Wishes wishes = {}) {
  return std::move(CertAuthority::make(wishes).value());
}

}  // namespace

TEST_CASE("a CA is kept for its owner alone, and never replaced unasked") {
  const test::TempFolder temp;
  const std::string folder = temp.file("a/b/ca");
  const auto made = some_ca({.days = 3, .permitted = {"example.com"}});
  CHECK(!CertAuthority::exists(folder));
  REQUIRE(made->save(folder, false).ok());
  CHECK(CertAuthority::exists(folder));
  struct stat there {};
  REQUIRE(::stat(folder.c_str(), &there) == 0);
  CHECK((there.st_mode & 0777) == 0700);
  REQUIRE(::stat((folder + "/ca.key").c_str(), &there) == 0);
  CHECK((there.st_mode & 0777) == 0600);

  const auto loaded = CertAuthority::load(folder);
  REQUIRE(loaded.ok());
  CHECK(loaded.value()->facts().fingerprint == made->facts().fingerprint);
  CHECK(loaded.value()->permitted() == std::vector<std::string>{"example.com"});
  CHECK(made->facts().key == "EC P-256");

  CHECK(!some_ca()->save(folder, false).ok());
  CHECK(CertAuthority::load(folder).value()->facts().fingerprint == made->facts().fingerprint);
  CHECK(some_ca()->save(folder, true).ok());
  CHECK(CertAuthority::load(folder).value()->facts().fingerprint != made->facts().fingerprint);

  ::chmod((folder + "/ca.key").c_str(), 0644);
  const auto exposed = CertAuthority::load(folder);
  REQUIRE(!exposed.ok());
  CHECK(exposed.error().message.find("can be read by others") != std::string::npos);
}

TEST_CASE("a folder that is there keeps its mode, and holds no CA if others can enter it") {
  const test::TempFolder temp;
  const auto mode_of = [](const std::string& path) {
    struct stat there {};
    REQUIRE(::stat(path.c_str(), &there) == 0);
    return there.st_mode & 07777;
  };
  const std::string folder = temp.file("shared");
  REQUIRE(::mkdir(folder.c_str(), 0700) == 0);
  REQUIRE(::symlink(folder.c_str(), temp.file("link").c_str()) == 0);
  for (const mode_t mode : {mode_t{01777}, mode_t{0755}, mode_t{0710}, mode_t{0701}}) {
    REQUIRE(::chmod(folder.c_str(), mode) == 0);
    for (const std::string& path : {folder, temp.file("link")}) {
      const auto saved = some_ca()->save(path, false);
      REQUIRE(!saved.ok());
      CHECK(saved.error().message.find("can be entered by others") != std::string::npos);
      CHECK(mode_of(folder) == mode);
      CHECK(!CertAuthority::exists(folder));
    }
  }
  REQUIRE(::chmod(folder.c_str(), 0500) == 0);
  static_cast<void>(some_ca()->save(folder, false));  // root may, others may not
  CHECK(mode_of(folder) == 0500);
  REQUIRE(::chmod(folder.c_str(), 0700) == 0);
  CHECK(some_ca()->save(temp.file("link"), true).ok());
  CHECK(CertAuthority::exists(folder));
  CHECK(mode_of(folder) == 0700);

  test::write_file(temp.file("file"), "");
  CHECK(!some_ca()->save(temp.file("file"), false).ok());
}

TEST_CASE("a CA cannot be limited to what is no domain") {
  CHECK(!CertAuthority::make({.permitted = {"a,b"}}).ok());
  CHECK(!CertAuthority::make({.permitted = {""}}).ok());
}

TEST_CASE("a certificate is for the name asked for, and like the server's") {
  const auto ca = some_ca();
  const auto mint = std::move(CertMint::make(*ca).value());
  const TlsCertificate plain = certificate_facts(mint->certificate_for("mx.example", nullptr));
  CHECK(plain.subject == "CN=mx.example");
  CHECK(plain.names == std::vector<std::string>{"mx.example"});
  CHECK(plain.issuer == ca->facts().subject);

  const auto other_ca = some_ca({.days = 9});
  const auto server = std::move(CertMint::make(*other_ca).value());
  X509* model = server->certificate_for("real.example", nullptr);
  const TlsCertificate like = certificate_facts(mint->certificate_for("mx.example", model));
  CHECK(like.subject == "CN=real.example");
  CHECK(like.names == std::vector<std::string>{"mx.example", "real.example"});
  CHECK(like.not_before == certificate_facts(model).not_before);
  CHECK(like.not_after == certificate_facts(model).not_after);
  CHECK(like.issuer == ca->facts().subject);

  CHECK(certificate_facts(mint->certificate_for("192.0.2.7", nullptr)).names ==
        std::vector<std::string>{"192.0.2.7"});
  // Hostile names go into no extension.
  const TlsCertificate odd =
      certificate_facts(mint->certificate_for("a,DNS:evil.example", nullptr));
  CHECK(odd.names.empty());
}

TEST_CASE("a name is minted once, fast, and few are kept") {
  const auto ca = some_ca();
  const auto mint = std::move(CertMint::make(*ca).value());
  X509* first = mint->certificate_for("mx.example", nullptr);
  CHECK(mint->certificate_for("mx.example", nullptr) == first);
  CHECK(mint->minted() == 1);
  const auto begin = std::chrono::steady_clock::now();
  constexpr int kMany = 300;
  for (int i = 0; i < kMany; ++i) {
    REQUIRE(mint->certificate_for("mx" + std::to_string(i) + ".example", nullptr) != nullptr);
  }
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  WARN("a mint took " << took.count() / kMany << " ms");
  // The last are still there, the first has gone.
  const std::size_t minted = mint->minted();
  mint->certificate_for("mx299.example", nullptr);
  CHECK(mint->minted() == minted);
  mint->certificate_for("mx.example", nullptr);
  CHECK(mint->minted() == minted + 1);
}
