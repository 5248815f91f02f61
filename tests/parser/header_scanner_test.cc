#include "parser/header_scanner.h"

#include <random>
#include <string>
#include <string_view>

#include "tests/catch.h"
#include "tests/parser/scanned_text.h"

namespace smtpscope::test {
namespace {

using namespace std::string_view_literals;
using Framing = MessageScanner::Framing;

HeaderFacts header_of(std::string_view text, Framing framing = Framing::kDotTerminated) {
  const HeaderFacts facts = scanned(text, framing).facts().header;
  for (std::size_t piece = 1; piece < 20; ++piece) {
    INFO(visible(text) << " in pieces of " << piece);
    REQUIRE(scanned(text, framing, piece).facts().header == facts);
  }
  return facts;
}

std::uint64_t id_of(std::string_view text) { return header_of(text).message_id; }

TEST_CASE("the header section ends at the first empty line") {
  CHECK(header_of("Subject: a\r\n\r\nbody").ended);
  CHECK(header_of("Subject: a\n\nbody").ended);
  CHECK(header_of("Subject: a\r\r\n\r\r\n").ended);
  CHECK(header_of("\r\nbody").ended);
  CHECK(header_of("Subject: a\r\n\r\n", Framing::kCounted).ended);
  CHECK(!header_of("Subject: a\r\n").ended);
  CHECK(!header_of("Subject: a\r\n\r").ended);
  CHECK(!header_of("Subject: a\r\n\rb\n").ended);
  CHECK(!header_of("Subject: a\r\n \r\nb").ended);  // a folded line (RFC 5322 2.2.3)
}

TEST_CASE("a line with nothing but a dot is no empty line") {
  CHECK(!header_of("Subject: a\r\n.\r\n").ended);
  CHECK(!header_of(".\r\n").ended);
  CHECK(!header_of("Subject: a\n.\n").ended);
  CHECK(!header_of("Subject: a\r\n.\r\n", Framing::kCounted).ended);
}

TEST_CASE("8-bit octets are counted up to the empty line") {
  CHECK(header_of("Subject: \xc3\xa9\r\nX\xff: a\n\xfe\r\n\r\n\xc3\xa9\r\n").eight_bit == 4);
  CHECK(header_of("\r\n\xc3\xa9\r\n").eight_bit == 0);
  CHECK(header_of("\xc3").eight_bit == 1);
}

TEST_CASE("a Message-ID is known by its value, however it is spelled and folded") {
  const std::uint64_t id = id_of("Message-ID: <a@b>\r\n\r\n");
  CHECK(id != 0);
  for (const std::string_view text : {
           "Subject: x\r\nMESSAGE-id:<a@b>\r\nTo: y\r\n"sv,
           "Message-Id:\r\n <a@b>\r\n\r\n"sv,
           "message-id: \t<a@\r\n\tb> \r\nX: y\r\n"sv,
           "Message-ID : <a@b>\n\n"sv,
           "Message-ID: <a@b>\r\r\n\r\r\n"sv,
           ".Message-ID: <a@b>\r\n\r\n"sv,
           "no field\r\n: none\r\n\r x\r\n\r\x01:\r\nMessage-ID: <a@b>\r\n.\r\n"sv,
           "Message-ID: <a@b>\r\nMessage-ID: <c@d>\r\n\r\n"sv,
           "Message-ID:\r\nMessage-ID: <a@b>\r\n\r\n"sv,
       }) {
    INFO(visible(text));
    CHECK(id_of(text) == id);
  }
}

TEST_CASE("what is no Message-ID, or not yet a whole one, has none") {
  for (const std::string_view text : {
           "Subject: Message-ID: <a@b>\r\n\r\n"sv,
           "X-Message-ID: <a@b>\r\n\r\n"sv,
           "Message-IDs: <a@b>\r\n\r\n"sv,
           "Message ID: <a@b>\r\n\r\n"sv,
           "Subject: x\r\n Message-ID: <a@b>\r\n\r\n"sv,
           "\r\nMessage-ID: <a@b>\r\n\r\n"sv,
           "Message-ID: \r\n \r\n\r\n"sv,
           "Message-ID: <a@b>"sv,
           "Message-ID: <a@b>\r\n"sv,  // a folded line may follow
           "Message-ID\r\n: <a@b>\r\n\r\n"sv,
       }) {
    INFO(visible(text));
    CHECK(id_of(text) == 0);
  }
  CHECK(id_of("Message-ID: <a@b>\r\n\r\n") != id_of("Message-ID: <a@c>\r\n\r\n"));
  CHECK(id_of("Message-ID: <a@b>\r\n\r\n") != id_of("Message-ID: <a@b>c\r\n\r\n"));
}

TEST_CASE("fields that mail scanners add are known by their names") {
  for (const std::string_view name :
       {"X-Antivirus", "X-ANTIVIRUS-STATUS", "x-virus-scanned", "X-AV-Checked", "X-Acme-Scanned",
        "X-Acme-Mail-Scanned", "X-Avast-Status", "X-Avast", "X-AVG-ID", "X-Norton-AV",
        "X-Acme-Antivirus", "X-Acme-AntiVirus-Version"}) {
    INFO(name);
    CHECK(header_of(std::string(name) + ": clean\r\n\r\n").scanner_fields == 1);
    CHECK(header_of(std::string(name) + " \t: clean\n").scanner_fields == 1);
    CHECK(header_of(" " + std::string(name) + ": clean\n").scanner_fields == 0);
  }
  for (const std::string_view name :
       {"X-Spam-Status", "X-Spam-Scanned", "X-Spam-Antivirus", "Antivirus", "X-Antiviral",
        "X-Scanned", "X--Scanned", "X-Virus-Scanned-By", "X-Mailer", "Avast", "X-AV-Checked-By",
        "X-A-Header-Of-Which-The-Name-Is-Too-Long-Scanned", "X-", "Received"}) {
    INFO(name);
    CHECK(header_of(std::string(name) + ": clean\r\n\r\n").scanner_fields == 0);
  }
  CHECK(header_of("X-Antivirus: Avast (VPS 1)\r\nX-Antivirus-Status: Clean\r\nTo: x\r\n\r\n"
                  "X-Antivirus: in the body\r\n")
            .scanner_fields == 2);
  const std::string longest =
      "X-" + std::string(HeaderScanner::kLongestName - 10, 'a') + "-Scanned";
  CHECK(header_of(longest + ": a\r\n").scanner_fields == 1);
}

TEST_CASE("a header section without end is looked at for so long only") {
  std::string text;
  while (text.size() < HeaderScanner::kMostOctets + 1000) text += "X-Avast: \xe9\r\n";
  text += "Message-ID: <a@b>\r\n\r\n";
  const MessageScanner scanner = scanned(text);
  CHECK(!scanner.facts().header.ended);
  CHECK(scanner.facts().header.message_id == 0);
  CHECK(scanner.facts().header.eight_bit < scanner.facts().eight_bit);
  check_scanner(scanner, expected_of(text, Framing::kDotTerminated), "many fields");
  for (const std::size_t piece : {1u, 1000u, 4096u, 65536u}) {
    REQUIRE(scanned(text, Framing::kDotTerminated, piece) == scanner);
  }
}

/// Random header sections of pieces that are almost what they should be.
std::string header_like_text(std::mt19937& random) {
  static constexpr std::string_view kPieces[] = {"Message-ID", "message-id:", "Message-ID : <a@b>",
                                                 "<c@d>",      " ",           "\t",
                                                 ":",          "\r\n",        "\r\n",
                                                 "\r\n",       "\n",          "\r\n ",
                                                 "\r",         "\r\r\n",      "X-Antivirus",
                                                 "X-Avast: ",  "-Scanned:",   "X-",
                                                 "Subject:",   ".",           "\r\n.",
                                                 "\xe9",       "\0"sv,        "\r\n..",
                                                 "X-Spam-",    "word",        "\r\nX-AVG:"};
  std::string text;
  for (std::size_t n = random() % 30; n > 0; --n) text += kPieces[random() % std::size(kPieces)];
  return text;
}

TEST_CASE("header sections are read as a search reads them, in every split") {
  std::mt19937 random(5322);
  std::size_t ids = 0;
  std::size_t ends = 0;
  std::size_t marks = 0;
  for (int round = 0; round < 1500; ++round) {
    const std::string text = header_like_text(random);
    const Framing framing = round % 4 == 0 ? Framing::kCounted : Framing::kDotTerminated;
    const Expected expected = expected_of(text, framing);
    const MessageScanner octetwise = scanned(text, framing, 1);
    check_scanner(octetwise, expected, text);
    ids += expected.facts.header.message_id != 0 ? 1 : 0;
    ends += expected.facts.header.ended ? 1 : 0;
    marks += expected.facts.header.scanner_fields;
    for (std::size_t split = 0; split <= expected.wire_octets; ++split) {
      const MessageScanner before = scanned(std::string_view(text).substr(0, split), framing);
      auto scanner = MessageScanner::restore(before.save());
      INFO("split at " << split << " of " << visible(text));
      REQUIRE(scanner.has_value());
      REQUIRE(*scanner == before);
      if (!scanner->ended()) scanner->scan(octets_of(text).subspan(split));
      REQUIRE(*scanner == octetwise);
    }
  }
  CHECK(ids > 100);
  CHECK(ends > 100);
  CHECK(marks > 100);
}

}  // namespace
}  // namespace smtpscope::test
