#include "redact/leak_check.h"

#include "base/octets.h"
#include "tests/catch.h"
#include "tests/redact/redacted.h"

namespace smtpscope::test {
namespace {

Originals known() {
  Originals originals;
  originals.add(OriginalKind::kMailbox, "Alice@kestrel-mail.de");
  originals.add(OriginalKind::kLocalPart, "alice");
  originals.add(OriginalKind::kHost, "mx.kestrel-mail.de");
  originals.add(OriginalKind::kHost,
                "b\xc3\xbc"
                "cher.de");
  originals.add(OriginalKind::kAddress, "10.17.3.9");
  originals.add(OriginalKind::kIdentifier, "257D2AAC540");
  originals.add(OriginalKind::kLocalPart, "bob");   // too short to be looked for
  originals.add(OriginalKind::kLocalPart, "info");  // no more than a word
  return originals;
}

/// What is found when a side says `text`, cut into reads of `size` octets.
std::vector<Leak> leaks_in(std::string_view text, std::size_t size = 100'000) {
  const Originals originals = known();
  LeakCheck check({&originals});
  for (std::size_t at = 0; at < text.size(); at += size) {
    Bytes bytes;
    bytes.from = Side::kServer;
    bytes.head = octets_of(text.substr(at, size));
    check.on_wire({1, at_ns(0), bytes});
  }
  check.finish();
  CHECK(check.found() >= check.leaks().size());
  return check.leaks();
}

TEST_CASE("what was to be replaced is found, in whatever form it is left") {
  const std::string_view planted[] = {
      "250 <alice@KESTREL-mail.de> ok\r\n",
      "250 hello mx.kestrel-mail.de\r\n",
      "550 User alice unknown\r\n",
      "550 client [10.17.3.9] blocked\r\n",
      "250 queued as 257d2aac540\r\n",
      "334 YWxpY2VAa2VzdHJlbC1tYWlsLmRl\r\n",  // base64: the address
      "=?utf-8?B?SGVsbG8gYWxpY2U=?= \r\n",     // "Hello alice"
      "text =61lice=40kestrel-mail.de\r\n",    // quoted-printable
      "soft ali=\r\nce line end\r\n",
      "ORCPT=rfc822;alice+40kestrel-mail.de\r\n",
      "http://x/?u=alice%40kestrel-mail.de\r\n",
      "ORCPT=utf-8;\\x{61}lice@kestrel-mail.de\r\n",
      "250 xn--bcher-kva.de\r\n",
      "250 B\xc3\xbc"
      "CHER.de\r\n",
  };
  for (const std::string_view text : planted) {
    INFO(text);
    CHECK(!leaks_in(text).empty());
    CHECK(!leaks_in(text, 1).empty());
    CHECK(!leaks_in("AUTH LOGIN\r\n" + std::string(text) + "250 ok\r\n", 7).empty());
  }
}

TEST_CASE("it is found where it lies across two windows, and behind any amount of other text") {
  const std::string padding(64 * 1024 - 8, ' ');
  CHECK(!leaks_in(padding + " alice@kestrel-mail.de ok").empty());
  CHECK(!leaks_in(padding + padding + "zzz\r\nalice\r\n", 1000).empty());
}

TEST_CASE("what only looks alike is no leak") {
  for (const char* text : {"250 malice is no name\r\n", "250 alicent\r\n", "110.17.3.90\r\n",
                           "250 bob and info\r\n", "250 ok\r\n", ""}) {
    INFO(text);
    CHECK(leaks_in(text).empty());
  }
}

TEST_CASE("texts of events and of the header are looked at") {
  const Originals originals = known();
  LeakCheck check({&originals});
  RunInfo run;
  run.tap = "at alice's";
  check.read(run);
  CHECK(check.found() == 1);
  check.on_wire({1, at_ns(0), SessionOpened{"10.17.3.9:4000", "127.0.0.1:25", "sink"}});
  CHECK(check.found() == 2);
  check.on_wire({1, at_ns(0), UpstreamFailed{"mx.kestrel-mail.de:25: refused"}});
  CHECK(check.found() == 3);
  check.on_wire({1, at_ns(0), Closed{Side::kClient, CloseKind::kError, false, "alice"}});
  CHECK(check.found() == 4);
  check.on_wire({1, at_ns(0), Gap{std::nullopt, 0, 0, "line 3: alice"}});
  CHECK(check.found() == 5);
  check.on_wire({1, at_ns(0), UpstreamConnected{"10.17.3.9:25"}});
  CHECK(check.found() == 6);
  const MessageScanner after;
  Bytes bytes;
  bytes.left_out = std::make_shared<const LeftOut>(LeftOut{10, after});
  bytes.tail = octets_of("alice");
  check.on_wire({1, at_ns(0), bytes});
  check.on_wire({1, at_ns(0), SessionEnded{}});
  CHECK(check.found() == 7);
  CHECK(check.leaks().back().original == "alice");
}

}  // namespace
}  // namespace smtpscope::test
