// What every folder does with text.

#include <string>

#include "base/counted.h"
#include "base/lines.h"
#include "base/utf8.h"
#include "tests/catch.h"

using namespace smtpscope;

TEST_CASE("things are counted as English has it") {
  CHECK(counted(1, "octet") == "1 octet");
  CHECK(counted(0, "octet") == "0 octets");
  CHECK(counted(213, "octet") == "213 octets");
  CHECK(counted(2, "address") == "2 addresses");
  CHECK(counted(1, "more reply") == "1 more reply");
  CHECK(counted(2, "more reply") == "2 more replies");
  CHECK(counted(2, "day") == "2 days");
}

TEST_CASE("lines are taken off, whatever ends them") {
  std::string_view text = "one\ntwo\r\n\n\rthree\r";
  CHECK(take_line(text) == "one");
  CHECK(take_line(text) == "two");
  CHECK(take_line(text).empty());
  CHECK(take_line(text) == "\rthree");
  CHECK(text.empty());
  CHECK(take_line(text).empty());
}

TEST_CASE("UTF-8 is read as RFC 3629 has it") {
  struct Sequence {
    std::string_view octets;
    char32_t point;
  };
  for (const Sequence& each : {Sequence{"a", U'a'},
                               {"\xC2\x80", 0x80},
                               {"\xDF\xBF", 0x7FF},
                               {"\xE0\xA0\x80", 0x800},
                               {"\xED\x9F\xBF", 0xD7FF},
                               {"\xEE\x80\x80", 0xE000},
                               {"\xEF\xBF\xBF", 0xFFFF},
                               {"\xF0\x90\x80\x80", 0x10000},
                               {"\xF4\x8F\xBF\xBF", 0x10FFFF}}) {
    CAPTURE(static_cast<std::uint32_t>(each.point));
    REQUIRE(utf8_sequence(each.octets) == each.octets.size());
    CHECK(utf8_value(each.octets, each.octets.size()) == each.point);
    std::string again;
    append_utf8(again, each.point);
    CHECK(again == each.octets);
    for (std::size_t size = 1; size < each.octets.size(); ++size) {
      CHECK(utf8_sequence(each.octets.substr(0, size)) == 0);
    }
  }
  // No sequence: a lone continuation, overlong forms, surrogates, beyond U+10FFFF, never used.
  for (const std::string_view octets :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3(", "\xE2\x82(", "\xF0\x9F\x98("}) {
    CAPTURE(octets);
    CHECK(utf8_sequence(octets) == 0);
  }
  CHECK(utf8_sequence("") == 0);
}
