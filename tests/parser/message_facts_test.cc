// Facts of which it matters where in the message they stand.

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "parser/content_digest.h"
#include "tests/catch.h"
#include "tests/parser/scanned_text.h"

namespace smtpscope::test {
namespace {

using namespace std::string_view_literals;
using Framing = MessageScanner::Framing;

/// Scans `text` in random pieces, saving and restoring the scanner between them.
MessageScanner scanned_at_random(std::string_view text, Framing framing, std::mt19937& random) {
  MessageScanner scanner(framing);
  auto rest = octets_of(text);
  const std::size_t most = std::size_t{1} << random() % 12;
  while (!rest.empty() && !scanner.ended()) {
    const std::size_t piece = std::min<std::size_t>(1 + random() % most, rest.size());
    rest = rest.subspan(scanner.scan(rest.first(piece)));
    const auto restored = MessageScanner::restore(scanner.save());
    REQUIRE(restored.has_value());
    REQUIRE(*restored == scanner);
    scanner = *restored;
  }
  return scanner;
}

/// However `text` is split, the scanner finds what a search of the whole finds.
void check_all_ways(std::string_view text, Framing framing, std::mt19937& random) {
  const Expected expected = expected_of(text, framing);
  const MessageScanner octetwise = scanned(text, framing, 1);
  check_scanner(octetwise, expected, text);
  for (const std::size_t piece : {7u, 64u, 100u, 1448u, 100'000u}) {
    REQUIRE(scanned(text, framing, piece) == octetwise);
  }
  for (int i = 0; i < 5; ++i) {
    REQUIRE(scanned_at_random(text, framing, random) == octetwise);
  }
}

TEST_CASE("the first of each oddity is found where it ends") {
  const std::string_view wire = "ab\rc\nd\r\r\n.e\0\r\n\r\n\r\r\r\n.\0\n\r"sv;
  const MessageFacts facts = scanned(wire).facts();
  CHECK(facts.first_bare_cr_end == 3);
  CHECK(facts.first_bare_lf_end == 5);
  CHECK(facts.first_cr_cr_lf_end == 9);
  CHECK(facts.first_unstuffed_dot_end == 10);
  CHECK(facts.first_nul_end == 12);
  CHECK(facts.cr_cr_lf == 2);
  CHECK(facts.bare_cr == 4);
  CHECK(facts.lines == 4);
}

TEST_CASE("where there is no oddity there is no first") {
  const MessageFacts facts = scanned("a\r\n..b\r\n.\r\n").facts();
  CHECK(facts.first_bare_cr_end == 0);
  CHECK(facts.first_bare_lf_end == 0);
  CHECK(facts.first_cr_cr_lf_end == 0);
  CHECK(facts.first_unstuffed_dot_end == 0);
  CHECK(facts.first_nul_end == 0);
  CHECK(scanned("\n.b\r\n.c", Framing::kCounted).facts().first_unstuffed_dot_end == 0);
}

TEST_CASE("a dot that the terminator took part in is told apart from an unstuffed one") {
  CHECK(scanned("a\r\n.\rb").facts().first_unstuffed_dot_end == 4);
  CHECK(scanned("a\r\n.\rb").facts().first_bare_cr_end == 5);
  CHECK(scanned("a\r\n.\r\r\n").facts().first_cr_cr_lf_end == 7);
  CHECK(scanned("a\r\n.\r\n").facts().first_unstuffed_dot_end == 0);
}

TEST_CASE("the first is found far into a message, wherever in a block it stands") {
  std::mt19937 random(2026);
  static constexpr std::array kOddities = {"\rx"sv,    "\nx"sv,      "\r\r\n"sv,       "\0"sv,
                                           "\r\n.x"sv, "\r\r\r\n"sv, "\r\r\n.\r\r\n"sv};
  for (int round = 0; round < 600; ++round) {
    std::string text;
    while (text.size() < 500 + random() % 500) {
      text.append(random() % 90, 'a');
      text += "\r\n";
      // Ever more often, so that the first of each comes anywhere.
      if (random() % 60 < text.size() / 60) text += kOddities[random() % kOddities.size()];
    }
    check_all_ways(text, round % 3 == 0 ? Framing::kCounted : Framing::kDotTerminated, random);
  }
}

TEST_CASE("lines beyond the limit are counted, and the first has a number") {
  const std::string fits = std::string(998, 'a') + "\r\n";
  const std::string longer = std::string(999, 'a') + "\r\n";
  CHECK(scanned(fits).facts().long_lines == 0);
  CHECK(scanned("." + fits).facts().long_lines == 0);  // the stuffed dot does not count
  CHECK(scanned("." + fits, Framing::kCounted).facts().long_lines == 1);
  CHECK(scanned(longer).facts().long_lines == 1);
  CHECK(scanned(longer).facts().first_long_line == 1);
  const MessageFacts facts = scanned(fits + "\r\n" + longer + fits + longer).facts();
  CHECK(facts.long_lines == 2);
  CHECK(facts.first_long_line == 3);
  // One that has not ended is long already.
  CHECK(scanned("\r\n" + std::string(1000, 'a')).facts().long_lines == 0);
  CHECK(scanned("\r\n" + std::string(1001, 'a')).facts().long_lines == 1);
  CHECK(scanned("\r\n" + std::string(1001, 'a')).facts().first_long_line == 2);
  // A bare LF ends no line (RFC 5321 2.3.8).
  CHECK(scanned(std::string(600, 'a') + "\n" + std::string(600, 'a')).facts().long_lines == 1);
}

TEST_CASE("lines about the limit are told apart in every split") {
  std::mt19937 random(998);
  for (int round = 0; round < 150; ++round) {
    std::string text;
    for (std::size_t n = 1 + random() % 8; n > 0; --n) {
      switch (random() % 4) {
        case 0:
          text.append(994 + random() % 10, 'a');
          break;
        case 1:
          text.append(random() % 3000, 'b');
          break;
        case 2:
          text += ".." + std::string(994 + random() % 10, 'c');
          break;
        default:
          text.append(random() % 100, random() % 9 == 0 ? '\n' : 'd');
      }
      if (random() % 8 != 0) text += "\r\n";
    }
    check_all_ways(text, round % 3 == 0 ? Framing::kCounted : Framing::kDotTerminated, random);
  }
}

TEST_CASE("the digest is that of the first octets, without what may be the terminator") {
  CHECK(scanned("").facts().digest == 0);
  CHECK(scanned(".").facts().digest == 0);
  CHECK(scanned(".\r\n").facts().digest == 0);
  CHECK(scanned("a\r\n.\r\n").facts().digest == scanned("a\r\n", Framing::kCounted).facts().digest);
  CHECK(scanned("a\r\n.\r").facts().digest == scanned("a\r\n").facts().digest);
  CHECK(scanned("a\r\n.\rb").facts().digest ==
        scanned("a\r\n.\rb", Framing::kCounted).facts().digest);
  CHECK(scanned("a\r\n").facts().digest != scanned("b\r\n").facts().digest);
  CHECK(scanned("a\r\n").facts().digest != scanned("a\r\n\r\n").facts().digest);

  const std::string long_text(MessageFacts::kDigested, 'a');
  const std::uint64_t digest = scanned(long_text).facts().digest;
  CHECK(scanned(long_text + "b").facts().digest == digest);
  CHECK(scanned(long_text.substr(1)).facts().digest != digest);
  for (std::size_t at = 0; at < long_text.size(); ++at) {
    std::string changed = long_text;
    changed[at] = 'b';
    if (scanned(changed).facts().digest == digest) FAIL("octet " << at << " makes no difference");
  }
}

TEST_CASE("a digest keeps its value") {
  // It is in captures.
  CHECK(digest_on(0, 0, {}) == 0);
  CHECK(digest_on(0, 0, octets_of("a")) == 0xcbf29ce484222344);
  CHECK(scanned("Subject: x\r\n\r\nhello\r\n").facts().digest == 0x4db1c7c7393b7000);
}

TEST_CASE("the digest does not depend on how the octets came") {
  std::mt19937 random(4096);
  for (int round = 0; round < 100; ++round) {
    std::string text;
    const std::size_t size = random() % 2 == 0 ? 4060 + random() % 70 : random() % 9000;
    while (text.size() < size) {
      text.append(random() % 70, static_cast<char>('a' + random() % 26));
      text += random() % 8 == 0 ? "\r\n..\r\n." : random() % 8 == 0 ? "\r\n.\rx" : "\r\n";
    }
    if (random() % 3 == 0) text += ".\r\n";
    check_all_ways(text, round % 4 == 0 ? Framing::kCounted : Framing::kDotTerminated, random);
  }
}

}  // namespace
}  // namespace smtpscope::test
