#include "redact/escapes.h"

#include "base/base64.h"
#include "redact/needle_search.h"
#include "redact/punycode.h"
#include "tests/catch.h"

namespace smtpscope::test {
namespace {

TEST_CASE("xtext") {
  CHECK(decode_xtext("a+2Bb+3D") == "a+b=");
  CHECK(encode_xtext("a+b= c") == "a+2Bb+3D+20c");
  CHECK(decode_xtext("a+zz+2") == "a+zz+2");
  CHECK(decode_xtext(encode_xtext("j\xc3\xbcrgen+x@y")) == "j\xc3\xbcrgen+x@y");
}

TEST_CASE("the escapes of RFC 6533") {
  CHECK(decode_unitext("j\\x{FC}rgen\\x{20AC}\\x{1F600}") ==
        "j\xc3\xbcrgen\xe2\x82\xac\xf0\x9f\x98\x80");
  CHECK(encode_unitext("j\xc3\xbcrgen") == "j\\x{FC}rgen");
  CHECK(decode_unitext("\\x{}\\x{110000}\\x{41") == "\\x{}\\x{110000}\\x{41");
}

TEST_CASE("quoted-printable and the escapes of URLs") {
  CHECK(decode_quoted("ali=\r\nce=40x=C3=A4=") == "alice@x\xc3\xa4=");
  CHECK(decode_quoted("a=\nb") == "ab");
  CHECK(decode_quoted("alice%40x%zz", '%') == "alice@x%zz");
}

TEST_CASE("base64") {
  CHECK(decode_base64("aGVsbG8=") == "hello");
  CHECK(decode_base64("aGVs\r\nbG8") == "hello");
  CHECK(decode_base64("").empty());
}

TEST_CASE("punycode, with the samples of RFC 3492 7.1") {
  const auto both = [](std::string_view unicode, std::string_view ascii) {
    CHECK(to_a_label(unicode) == std::string(ascii));
    CHECK(from_a_label(ascii) == std::string(unicode));
  };
  both(
      "b\xc3\xbc"
      "cher",
      "xn--bcher-kva");
  both(
      "\xe4\xbb\x96\xe4\xbb\xac\xe4\xb8\xba\xe4\xbb\x80\xe4\xb9\x88\xe4\xb8\x8d\xe8\xaf\xb4\xe4\xb8"
      "\xad\xe6\x96\x87",
      "xn--ihqwcrb4cv8a8dqg056pqjye");
  both("\xe3\x81\x9d\xe3\x81\xae\xe3\x82\xb9\xe3\x83\x94\xe3\x83\xbc\xe3\x83\x89\xe3\x81\xa7",
       "xn--d9juau41awczczp");
  CHECK(to_a_label("kestrel") == "kestrel");
  CHECK(!to_a_label("\xff").has_value());
  CHECK(!from_a_label("kestrel").has_value());
  CHECK(!from_a_label("xn--").has_value());
  CHECK(!from_a_label("xn--99999999999").has_value());
  CHECK(!from_a_label("xn--a b").has_value());
}

TEST_CASE("many words are found at once, inside of each other too") {
  NeedleSearch search;
  search.add("he", 0);
  search.add("she", 1);
  search.add("hers", 2);
  search.add("he", 3);  // known already
  search.prepare();
  std::string found;
  search.search("ushers", [&](std::uint32_t number, std::size_t begin, std::size_t end) {
    found += std::to_string(number) + ":" + std::to_string(begin) + "-" + std::to_string(end) + " ";
  });
  CHECK(found == "1:1-4 0:2-4 2:2-6 ");
  found.clear();
  search.search("", [&](std::uint32_t, std::size_t, std::size_t) { found += "x"; });
  CHECK(found.empty());
}

}  // namespace
}  // namespace smtpscope::test
