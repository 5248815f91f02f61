#include "lab/reply_editing.h"

#include <vector>

#include "tests/catch.h"

namespace smtpscope {

TEST_CASE("keywords are taken out of a reply to EHLO", "[lab]") {
  const std::string reply = "250-mx\r\n250-SIZE 10\r\n250-auth=PLAIN\r\n250 DSN\r\n";
  CHECK(without_keywords(reply, std::vector<std::string>{"DSN"}) ==
        "250-mx\r\n250-SIZE 10\r\n250 auth=PLAIN\r\n");
  CHECK(without_keywords(reply, std::vector<std::string>{"SIZE", "AUTH", "DSN"}) == "250 mx\r\n");
  CHECK(without_keywords(reply, std::vector<std::string>{"MX", "HELP"}) == reply);
}

TEST_CASE("a keyword is offered, or gets other parameters", "[lab]") {
  CHECK(with_keyword("250 mx\r\n", "SIZE", "1000") == "250-mx\r\n250 SIZE 1000\r\n");
  CHECK(with_keyword("250-mx\r\n250-size\r\n250 DSN\r\n", "SIZE", "7") ==
        "250-mx\r\n250-SIZE 7\r\n250 DSN\r\n");
}

TEST_CASE("a reply's beginning and its lines are exchanged", "[lab]") {
  CHECK(with_beginning("550-a\r\n550 b\r\n", "550", "450") == "450-a\r\n450 b\r\n");
  CHECK(with_beginning("550 5.1.1 who\r\n", "550 5.1.1", "450 4.2.0") == "450 4.2.0 who\r\n");
  CHECK(with_beginning("250 ok\r\n", "550", "450") == "250 ok\r\n");
  CHECK(last_line("220-a\r\n220 b\r\n") == "220 b\r\n");
}

}  // namespace smtpscope
