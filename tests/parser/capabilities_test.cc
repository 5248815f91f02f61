#include "parser/capabilities.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/catch.h"

namespace smtpscope {
namespace {

/// What is read from a reply of these lines: each a code, a separator and a text.
Capabilities offered(const std::vector<std::string>& lines) {
  std::vector<ReplyLine> reply_lines;
  for (const std::string& line : lines) {
    ReplyLine& reply_line = reply_lines.emplace_back();
    reply_line.code = static_cast<std::uint16_t>(std::stoi(line));
    reply_line.text = std::string_view(line).substr(4);
  }
  Reply reply;
  reply.code = 250;
  reply.lines = reply_lines;
  reply.line_count = lines.size();
  Capabilities capabilities;
  capabilities.read(reply);
  return capabilities;
}

std::string parameters(const Capabilities& capabilities, std::string_view name) {
  const auto* keyword = capabilities.find(name);
  return keyword == nullptr ? "not offered" : std::string(keyword->parameters());
}

TEST_CASE("keywords and their parameters are read from an EHLO reply") {
  const auto capabilities = offered({"250-mx.example Hello", "250-PIPELINING", "250-SIZE 10240000",
                                     "250-AUTH PLAIN LOGIN", "250-8BITMIME", "250 X-EXPS NTLM"});
  CHECK(capabilities.keywords().size() == 5);
  CHECK(capabilities.has("PIPELINING"));
  CHECK(parameters(capabilities, "PIPELINING").empty());
  CHECK(parameters(capabilities, "SIZE") == "10240000");
  CHECK(parameters(capabilities, "AUTH") == "PLAIN LOGIN");
  CHECK(parameters(capabilities, "X-EXPS") == "NTLM");
  CHECK(capabilities.has("8BITMIME"));
  CHECK(!capabilities.has("STARTTLS"));
  CHECK(capabilities.find("STARTTLS") == nullptr);
  CHECK(capabilities.dropped() == 0);
}

TEST_CASE("the first line names the server, never a keyword") {
  CHECK(offered({"250-PIPELINING", "250 SIZE"}).keywords().size() == 1);
  CHECK(offered({"250 STARTTLS"}).keywords().empty());
}

TEST_CASE("keywords are put into upper case, parameters stay as sent") {
  const auto capabilities = offered({"250-x", "250-starttls", "250 Auth Plain cram-md5"});
  CHECK(capabilities.has("STARTTLS"));
  CHECK(parameters(capabilities, "AUTH") == "Plain cram-md5");
}

TEST_CASE("white space between and behind words does not matter") {
  const auto capabilities =
      offered({"250-x", "250-SIZE   100\t", "250-  PIPELINING  ", "250 AUTH\tPLAIN  LOGIN "});
  CHECK(parameters(capabilities, "SIZE") == "100");
  CHECK(parameters(capabilities, "PIPELINING").empty());
  CHECK(parameters(capabilities, "AUTH") == "PLAIN LOGIN");
}

TEST_CASE("SIZE declares a limit with a number that is not 0, and LIMITS others") {
  CHECK(offered({"250-x", "250 SIZE 10240000"}).size_limit() == 10240000);
  CHECK(offered({"250-x", "250-SIZE 100", "250 SIZE 200"}).size_limit() == 100);
  for (const char* none :
       {"SIZE", "SIZE 0", "SIZE 12k", "SIZE -1", "SIZE 99999999999999999999", "PIPELINING"}) {
    CAPTURE(none);
    CHECK(offered({"250-x", std::string("250 ") + none}).size_limit() == std::nullopt);
  }
  CHECK(Capabilities().size_limit() == std::nullopt);
  CHECK(offered({"250-x", "250 LIMITS RCPTMAX=3"}).has_limits());
  CHECK(!offered({"250-x", "250 SIZE"}).has_limits());
}

TEST_CASE("it is known whether every line held a keyword") {
  CHECK(offered({"250-x", "250-SIZE 1", "250-AUTH=LOGIN", "250 X-Y"}).all_keywords());
  CHECK(!offered({"250-x", "250-SIZE 1", "250 8BIT_MIME"}).all_keywords());
  CHECK(!offered({"250-x", "250-", "250 SIZE"}).all_keywords());
  CHECK(Capabilities().all_keywords());
}

TEST_CASE("AUTH= is AUTH, and the lists are merged") {
  CHECK(parameters(offered({"250-x", "250 AUTH=LOGIN"}), "AUTH") == "LOGIN");
  const auto both =
      offered({"250-x", "250-AUTH LOGIN PLAIN", "250-SIZE 5", "250 AUTH=login GSSAPI"});
  CHECK(parameters(both, "AUTH") == "LOGIN PLAIN GSSAPI");
  CHECK(both.keywords().size() == 2);
  CHECK(parameters(offered({"250-x", "250-AUTH", "250 AUTH= LOGIN"}), "AUTH") == "LOGIN");
}

TEST_CASE("a line that is no keyword offers nothing") {
  const auto capabilities = offered({"250-x", "250-", "250-   ", "250--SIZE", "250-SI_ZE 5",
                                     "250-\xc3\xa4", "0xx garbage", "550-DSN", "250 .", "250 OK"});
  CHECK(capabilities.keywords().size() == 1);
  CHECK(capabilities.has("OK"));
}

TEST_CASE("reading replaces what an earlier reply offered") {
  Capabilities capabilities = offered({"250-x", "250 SIZE"});
  Reply reply;
  const ReplyLine line{.code = 250, .text = "x"};
  reply.code = 250;
  reply.lines = {&line, 1};
  reply.line_count = 1;
  capabilities.read(reply);
  CHECK(!capabilities.has("SIZE"));
}

TEST_CASE("an empty object owns no heap memory") {
  Capabilities capabilities = offered({"250-x", "250 SIZE"});
  CHECK(capabilities.keywords().data() != nullptr);
  capabilities.clear();
  CHECK(capabilities.keywords().data() == nullptr);
  CHECK(capabilities.keywords().empty());
  capabilities.read(Reply{});
  CHECK(capabilities.keywords().data() == nullptr);
}

TEST_CASE("a copy keeps what was read, whatever becomes of the first") {
  Capabilities capabilities = offered({"250-x", "250-SIZE 100", "250-AUTH PLAIN", "250 DSN"});
  const Capabilities copy = capabilities;
  CHECK(copy.keywords().data() == capabilities.keywords().data());
  capabilities = offered({"250-x", "250 SIZE 200"});
  CHECK(parameters(copy, "SIZE") == "100");
  CHECK(parameters(copy, "AUTH") == "PLAIN");
  CHECK(copy.has("DSN"));
}

TEST_CASE("what is too much is counted, not kept") {
  SECTION("keywords") {
    std::vector<std::string> lines{"250-x"};
    for (std::size_t i = 0; i < Capabilities::kMaxKeywords + 7; ++i) {
      lines.push_back("250-X" + std::to_string(i));
    }
    lines.push_back("250 X3 more");  // known already, so there is room for it
    const auto capabilities = offered(lines);
    CHECK(capabilities.keywords().size() == Capabilities::kMaxKeywords);
    CHECK(capabilities.dropped() == 7);
    CHECK(parameters(capabilities, "X3") == "more");
  }
  SECTION("octets") {
    const std::string half(Capabilities::kMaxOctets / 2 - 1, 'p');
    const auto capabilities =
        offered({"250-x", "250-A " + half, "250-B " + half, "250-C", "250-A z", "250 D q"});
    CHECK(capabilities.has("A"));
    CHECK(capabilities.has("B"));
    CHECK(!capabilities.has("C"));
    CHECK(parameters(capabilities, "A") == half);
    CHECK(capabilities.dropped() == 3);
  }
  SECTION("lines that the reply itself did not keep") {
    const std::vector<ReplyLine> lines{{.code = 250, .text = "x"}, {.code = 250, .text = "SIZE"}};
    Reply reply;
    reply.code = 250;
    reply.lines = lines;
    reply.line_count = 12;
    Capabilities capabilities;
    capabilities.read(reply);
    CHECK(capabilities.has("SIZE"));
    CHECK(capabilities.dropped() == 10);
  }
}

TEST_CASE("octets are counted right when merged lists grow") {
  // Each merge adds 4 octets; an account that counted a list anew each time would run full early.
  std::vector<std::string> lines{"250-x"};
  for (int i = 100; i < 400; ++i) lines.push_back("250-AUTH " + std::to_string(i));
  const auto capabilities = offered(lines);
  CHECK(capabilities.dropped() == 0);
  CHECK(parameters(capabilities, "AUTH").size() == 300 * 4 - 1);
}

}  // namespace
}  // namespace smtpscope
