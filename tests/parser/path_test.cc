#include "parser/path.h"

#include "tests/catch.h"

using namespace smtpscope;

TEST_CASE("paths and what departs from their grammar") {
  struct Case {
    std::string_view arguments, path, mailbox, parameters;
    int flags;
  };
  const Case cases[] = {
      {"FROM:<a@b>", "a@b", "a@b", "", 0},
      {"from:<a@b>", "a@b", "a@b", "", 0},
      {"FROM:<>", "", "", "", 0},
      {"FROM:<a@b> SIZE=10 BODY=8BITMIME", "a@b", "a@b", "SIZE=10 BODY=8BITMIME", 0},
      {"FROM:<a@b>  X ", "a@b", "a@b", "X ", 0},
      {"FROM: <a@b>", "a@b", "a@b", "", kSpaceAfterColon},
      {"FROM :<a@b>", "a@b", "a@b", "", kSpaceBeforeColon},
      {"FROM : <a@b>", "a@b", "a@b", "", kSpaceBeforeColon | kSpaceAfterColon},
      {"FROM:a@b SIZE=1", "a@b", "a@b", "SIZE=1", kNoBrackets},
      {"FROM:", "", "", "", kNoBrackets},
      {"<a@b>", "a@b", "a@b", "", kNoKeyword},
      {"FROM<a@b>", "FROM<a@b>", "FROM<a@b>", "", kNoKeyword | kNoBrackets},
      {"", "", "", "", kNoKeyword | kNoBrackets},
      {"FROM:<a@b", "a@b", "a@b", "", kUnclosed},
      {"FROM:<a@b SIZE=1", "a@b", "a@b", "SIZE=1", kUnclosed},
      {"FROM:<a@b>SIZE=1", "a@b", "a@b", "SIZE=1", kNoSpaceBehind},
      {"FROM:<@x,@y:a@b>", "@x,@y:a@b", "a@b", "", kSourceRoute},
      {R"(FROM:<"a > b @c"@d> X)", R"("a > b @c"@d)", R"("a > b @c"@d)", "X", 0},
      {R"(FROM:<"a\"> b"@d> X)", R"("a\"> b"@d)", R"("a\"> b"@d)", "X", 0},
      {R"(FROM:<"a@d> X)", R"("a@d)", R"("a@d)", "X", 0},
      {R"(FROM:"a b"@c X)", R"("a b"@c)", R"("a b"@c)", "X", kNoBrackets},
  };
  for (const Case& c : cases) {
    CAPTURE(c.arguments);
    const PathArgument result = parse_path(c.arguments, "FROM:");
    CHECK(result.path == c.path);
    CHECK(result.mailbox == c.mailbox);
    CHECK(result.parameters == c.parameters);
    CHECK(result.flags == c.flags);
  }
  CHECK(parse_path("FROM:<>", "FROM:").null_path());
  CHECK_FALSE(parse_path("FROM:", "FROM:").null_path());
  CHECK(parse_path("TO:<postmaster>", "TO:").path == "postmaster");
}

TEST_CASE("paths are equal: the domain without regard to case, the local part exactly") {
  CHECK(equal_paths("a@Example.ORG", "a@example.org"));
  CHECK_FALSE(equal_paths("A@example.org", "a@example.org"));
  CHECK(equal_paths("@relay:a@b", "a@B"));
  CHECK(equal_paths("Postmaster", "postmaster"));
  CHECK_FALSE(equal_paths("Alice", "alice"));
  CHECK_FALSE(equal_paths("a@b", "a"));
  CHECK(equal_paths("", ""));
  CHECK(equal_paths(R"("x@y"@Z)", R"("x@y"@z)"));
  CHECK_FALSE(equal_paths(R"("x@Y"@z)", R"("x@y"@z)"));
}

TEST_CASE("the domain begins behind the last @ outside quotes") {
  CHECK(find_domain("a@b") == 2);
  CHECK(find_domain("a@b@c") == 4);
  CHECK(find_domain(R"("a@b"@c)") == 6);
  CHECK(find_domain("a") == std::string_view::npos);
  CHECK(find_domain("") == std::string_view::npos);
}

TEST_CASE("ESMTP parameters one by one") {
  const auto collect = [](std::string_view text) {
    std::string result;
    for (const MailParameter& parameter : mail_parameters(text)) {
      result += std::string(parameter.keyword) + (parameter.has_value ? "=" : "") +
                std::string(parameter.value) + ";";
    }
    return result;
  };
  CHECK(collect("") == "");
  CHECK(collect("  ") == "");
  CHECK(collect("SIZE=10  SMTPUTF8 \tENVID= X=a=b ") == "SIZE=10;SMTPUTF8;ENVID=;X=a=b;");
  CHECK(collect("=x") == "=x;");
  CHECK(same_keyword("sIzE", "SIZE"));
  CHECK_FALSE(same_keyword("SIZ", "SIZE"));
}
