#include "redact/pseudonyms.h"

#include <fmt/format.h>

#include <set>

#include "base/ascii.h"
#include "parser/path.h"
#include "redact/standard_words.h"
#include "tests/catch.h"

namespace smtpscope::test {
namespace {

constexpr std::string_view kKey = "0123456789abcdef0123456789abcdef";

std::string letters(std::size_t number, std::size_t octets) {
  std::string text;
  for (; octets > 0; --octets, number /= 26) text += static_cast<char>('a' + number % 26);
  return text;
}

TEST_CASE("a pseudonym is the same for the same name, key and file or not") {
  Pseudonyms one(kKey);
  Pseudonyms two(kKey);
  Pseudonyms other("another key, with 32 octets or more");
  for (const char* name : {"alice", "bob.harrier", "x", "bounce+bob=mail.test", "jürgen"}) {
    CHECK(one.local_part(name) == one.local_part(name));
    CHECK(two.word("something else first") != "");
    CHECK(one.local_part(name) == two.local_part(name));
  }
  CHECK(one.domain("mail.kestrel.de") == two.domain("mail.kestrel.de"));
  CHECK(one.mailbox("alice@kestrel.de") == two.mailbox("alice@kestrel.de"));
  CHECK(one.local_part("alexander.the.great") != other.local_part("alexander.the.great"));
  CHECK(one.domain("kestrel-mail.de") != other.domain("kestrel-mail.de"));
}

TEST_CASE("different names have different pseudonyms") {
  Pseudonyms names(kKey);
  std::set<std::string> locals;
  std::set<std::string> domains;
  constexpr std::size_t kMany = 5000;
  for (std::size_t i = 0; i < kMany; ++i) {
    locals.insert(names.local_part(letters(i, 3)));
    domains.insert(names.domain(letters(i, 3) + ".de"));
  }
  CHECK(locals.size() == kMany);
  CHECK(domains.size() == kMany);
}

TEST_CASE("two words of one shape never become the same, nor a word with a meaning") {
  Pseudonyms names(kKey);
  std::set<std::string> all;
  for (std::size_t i = 0; i < 26 * 26; ++i) {
    const std::string word = letters(i, 2);
    // What is a standard word itself has left the permutation, and finds another end of its walk.
    if (is_standard_word(word)) continue;
    const std::string chosen = names.word(word);
    CHECK(chosen.size() == word.size());
    INFO(word << " " << chosen);
    CHECK(!is_standard_word(chosen));
    all.insert(chosen);
  }
  Pseudonyms again(kKey);
  std::set<std::string> seen;
  for (std::size_t i = 0; i < 26 * 26; ++i) {
    const std::string word = letters(i, 2);
    if (!is_standard_word(word)) seen.insert(again.word(word));
  }
  CHECK(all == seen);
}

TEST_CASE("letters, digits and lengths stay what they are") {
  Pseudonyms names(kKey);
  const std::string word = names.word("Ab1-x_9Z.q");
  REQUIRE(word.size() == 10);
  CHECK((word[0] >= 'A' && word[0] <= 'Z'));
  CHECK((word[1] >= 'a' && word[1] <= 'z'));
  CHECK((word[2] >= '0' && word[2] <= '9'));
  CHECK(word[3] == '-');
  CHECK(word[5] == '_');
  CHECK(word[8] == '.');
  CHECK(names.word("j\xc3\xbcrgen").size() == 7);
  // What was no UTF-8 is none again.
  const auto octet = static_cast<unsigned char>(names.word("caf\xe9")[3]);
  CHECK(octet >= 0xf8);
  CHECK(names.word(std::string_view("a\0b", 3))[1] == '\0');
}

TEST_CASE("domains keep their relation, below names that nobody can register") {
  Pseudonyms names(kKey);
  const std::string base = names.domain("kestrel-mail.de");
  CHECK(names.domain("mx.kestrel-mail.de").ends_with("." + base));
  CHECK(names.domain("a.mx.kestrel-mail.de").ends_with("." + names.domain("mx.kestrel-mail.de")));
  CHECK(names.domain("mx.osprey.de") != names.domain("mx.kestrel-mail.de"));
  CHECK(!names.domain("kestrel-mail.com").ends_with(base));
  const std::string british = names.domain("osprey.co.uk");
  CHECK(names.domain("mx.osprey.co.uk").ends_with("." + british));
  CHECK(names.domain("other.co.uk") != british);
  for (const char* name : {"kestrel-mail.de", "gmx.de", "x.y.louvre.museum", "osprey.co.uk",
                           "example.com", "mx.example", "host.test", "foo_bar.local"}) {
    const std::string chosen = names.domain(name);
    INFO(name << " " << chosen);
    CHECK((chosen.ends_with(".test") || chosen.ends_with(".example")));
    CHECK(chosen != name);
    if (std::string_view(name).size() >= 9 &&
        std::string_view(name).find('_') == std::string::npos) {
      CHECK(chosen.size() == std::string_view(name).size());
    }
  }
}

TEST_CASE("case variants of a domain stay such") {
  Pseudonyms names(kKey);
  const std::string lower = names.domain("mx.kestrel-mail.de");
  CHECK(in_lower_case(names.domain("MX.Kestrel-Mail.DE")) == lower);
  CHECK(names.domain("MX.Kestrel-Mail.DE") != lower);
  CHECK(names.domain("mx.kestrel-mail.de.") == lower + ".");
  CHECK(in_lower_case(names.domain("GMX.de")) == names.domain("gmx.de"));
  // Local parts are told apart by case (RFC 5321 2.4).
  CHECK(names.local_part("Bob") != names.local_part("bob"));
  CHECK(in_lower_case(names.local_part("Bob")) == names.local_part("bob"));
}

TEST_CASE("names that everybody has stay") {
  Pseudonyms names(kKey);
  for (const char* name : {"localhost", "LOCALHOST", "localhost.localdomain", ""}) {
    CHECK(names.domain(name) == name);
  }
  for (const char* name : {"postmaster", "Postmaster"}) CHECK(names.local_part(name) == name);
  for (const char* address :
       {"127.0.0.1", "127.5.5.5", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1"}) {
    CHECK(names.address(address) == std::string(address));
  }
  CHECK(names.endpoint("sink") == "sink");
  CHECK(names.endpoint("127.0.0.1:2525") == "127.0.0.1:2525");
}

TEST_CASE("both forms of an internationalised domain have the same pseudonym") {
  Pseudonyms names(kKey);
  const std::string unicode = names.domain(
      "b\xc3\xbc"
      "cher-kestrel.de");
  const std::string ascii = names.domain("xn--bcher-kestrel-zob.de");
  INFO(unicode << " " << ascii);
  CHECK(ascii.starts_with("xn--"));
  CHECK(unicode.ends_with(".test"));
  const std::string sub_unicode = names.domain(
      "b\xc3\xbc"
      "ro.kestrel.de");
  const std::string sub_ascii = names.domain("xn--bro-hoa.kestrel.de");
  CHECK(sub_ascii.substr(sub_ascii.find('.')) == sub_unicode.substr(sub_unicode.find('.')));
}

bool is_documented_v4(const std::string& text) {
  return text.starts_with("192.0.2.") || text.starts_with("198.51.100.") ||
         text.starts_with("203.0.113.");
}

TEST_CASE("addresses come from the ranges for documentation, each its own") {
  Pseudonyms names(kKey);
  std::set<std::string> chosen;
  for (int i = 0; i < 762; ++i) {
    const auto address = names.address(fmt::format("10.{}.{}.7", i / 250, i % 250));
    REQUIRE(address.has_value());
    INFO(*address);
    CHECK(is_documented_v4(*address));
    chosen.insert(*address);
  }
  CHECK(chosen.size() == 762);
  // There are no more of these.
  for (int i = 0; i < 300; ++i) {
    const auto address = names.address(fmt::format("10.77.{}.7", i));
    if (i > 255) {
      CHECK(!address.has_value());
      continue;
    }
    CHECK((address->starts_with("198.18.") || address->starts_with("198.19.")));
    chosen.insert(*address);
  }
  CHECK(chosen.size() == 762 + 256);
  CHECK(names.moved_addresses() > 0);

  std::set<std::string> sixes;
  for (int i = 1; i < 2000; ++i) {
    const auto address = names.address(fmt::format("2a01:4f8:{:x}::{:x}", i, i));
    REQUIRE(address.has_value());
    CHECK(address->starts_with("2001:db8:"));
    sixes.insert(*address);
  }
  CHECK(sixes.size() == 1999);
  CHECK(names.address("2A01:4F8:1:0::1") == names.address("2a01:4f8:1::1"));
  CHECK(names.address("::ffff:10.0.0.7") == "::ffff:" + *names.address("10.0.0.7"));
  CHECK(!names.address("10.0.0.300").has_value());
  CHECK(!names.address("12:00:00").has_value());
}

TEST_CASE("no pseudonym is one of the names that were found") {
  Pseudonyms first(kKey);
  // An unlucky capture: the names in it are the pseudonyms of others.
  const std::string unlucky = first.local_part("alice");
  const std::string address = *first.address("10.0.0.1");
  first.local_part(unlucky);
  first.address(address);
  Pseudonyms names(kKey, &first.originals());
  CHECK(names.local_part("alice") != unlucky);
  CHECK(*names.address("10.0.0.1") != address);
  CHECK(names.local_part("alice") != names.local_part(unlucky));
}

TEST_CASE("where a socket is") {
  Pseudonyms names(kKey);
  const std::string v4 = names.endpoint("10.1.2.3:50114");
  CHECK(is_documented_v4(v4));
  CHECK(v4.ends_with(":50114"));
  CHECK(names.endpoint("[2a01:4f8::1]:25").starts_with("[2001:db8:"));
  CHECK(names.endpoint("[2a01:4f8::1]:25").ends_with("]:25"));
  CHECK(names.endpoint("mx.kestrel-mail.de:25") == names.domain("mx.kestrel-mail.de") + ":25");
  CHECK(names.endpoint("unix:/var/run/dovecot/lmtp") == "unix:/var/run/dovecot/lmtp");
  const std::string path = names.endpoint("unix:/home/alice/kestrel.sock");
  CHECK(path.find("alice") == std::string::npos);
  CHECK(path.find("kestrel") == std::string::npos);
}

TEST_CASE("hashes that anybody can compute are replaced by keyed ones") {
  Pseudonyms names(kKey);
  CHECK(names.number("digest", 0) == 0);
  CHECK(names.number("digest", 7) != 7);
  CHECK(names.number("digest", 7) == Pseudonyms(kKey).number("digest", 7));
  CHECK(names.number("digest", 7) != names.number("message-id", 7));
}

}  // namespace
}  // namespace smtpscope::test
