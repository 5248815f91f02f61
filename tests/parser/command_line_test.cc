#include "parser/command_line.h"

#include "tests/catch.h"

using namespace smtpscope;

TEST_CASE("a command line is split at its first white space") {
  struct Case {
    std::string_view line, word, arguments;
  };
  const Case cases[] = {
      {"NOOP", "NOOP", ""},         {"NOOP ", "NOOP", ""}, {"MAIL FROM:<a> ", "MAIL", "FROM:<a> "},
      {"\t MAIL \tx", "MAIL", "x"}, {"", "", ""},          {"  ", "", ""}};
  for (const Case& c : cases) {
    CAPTURE(c.line);
    CHECK(split_command(c.line).word == c.word);
    CHECK(split_command(c.line).arguments == c.arguments);
  }
}

TEST_CASE("the argument of BDAT") {
  const auto plain = parse_chunk_argument("86");
  REQUIRE(plain);
  CHECK(plain->octets == 86);
  CHECK_FALSE(plain->last);
  const auto last = parse_chunk_argument("0  last ");
  REQUIRE(last);
  CHECK(last->octets == 0);
  CHECK(last->last);
  CHECK(parse_chunk_argument("18446744073709551615")->octets == ~std::uint64_t{0});
  for (const char* bad :
       {"", "x", "-1", "+1", "18446744073709551616", "1x", "1 FIRST", "1 LAST x", "LAST"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_chunk_argument(bad));
  }
}

TEST_CASE("the size that XEXCH50 announces") {
  CHECK(parse_blob_size("2064 2") == 2064U);
  CHECK(parse_blob_size("7") == 7U);
  CHECK_FALSE(parse_blob_size(""));
  CHECK_FALSE(parse_blob_size("x 2"));
}

TEST_CASE("PROXY headers, version 1") {
  bool local = true;
  const auto is_header = [&](std::string_view line) {
    return is_proxy_header(line, line.size() + 2, local);
  };
  CHECK(is_header("PROXY TCP4 192.0.2.1 192.0.2.2 1 2"));
  CHECK_FALSE(local);
  CHECK(is_header("PROXY TCP6 ::1 ::1 1 2"));
  CHECK(is_header("PROXY UNKNOWN"));
  CHECK(local);
  CHECK(is_header("PROXY UNKNOWN " + std::string(91, 'x')));
  CHECK_FALSE(is_header("PROXY UNKNOWN " + std::string(92, 'x')));
  CHECK_FALSE(is_header("PROXY UDP4 1"));
  CHECK_FALSE(is_header("proxy TCP4 1"));
  CHECK_FALSE(is_header("PROXY"));
}

TEST_CASE("header fields are told from commands") {
  for (const char* field : {"Subject: x", "X-Spam-Score: 1", "to:bob", "A:"}) {
    CHECK(begins_header_field(field));
  }
  for (const char* other : {"", ":", "MAIL FROM:<a@b>", "RCPT", "dXNlcg==", "a b: c", " x: y"}) {
    CHECK_FALSE(begins_header_field(other));
  }
}
