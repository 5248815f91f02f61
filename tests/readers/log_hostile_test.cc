// Files that are no logs, or want to be trouble.

#include <fmt/format.h>

#include <random>
#include <string>

#include "readers/logs/log_exchange.h"
#include "readers/logs/log_exim.h"
#include "readers/logs/log_postfix.h"
#include "readers/logs/log_ssmtp.h"
#include "readers/logs/log_swaks.h"
#include "readers/text/log_table.h"
#include "tests/catch.h"
#include "tests/readers/told_log.h"

using namespace smtpscope;

namespace {

constexpr LogSource::MakeReader kMakers[] = {PostfixLog::make, ExchangeLog::make, SwaksLog::make,
                                             SsmtpLog::make, EximLog::make};
constexpr const char* kFiles[] = {"postfix-interleaved.log", "exchange-receive.log", "swaks.txt",
                                  "ssmtp-syslog.log", "exim-d.txt"};

/// Of a session: opened first, ended last, times never back, each number's beginning in order.
void check_order(const ToldLog& told) {
  int opened = 0;
  for (const std::string& line : told.lines) {
    if (line.find(" open ") != std::string::npos &&
        line.starts_with(fmt::format("{} ", opened + 1))) {
      ++opened;
    }
    CHECK(std::stoi(line) <= opened);
  }
}

}  // namespace

TEST_CASE("octets that are no text") {
  std::mt19937 random(7);
  std::string junk;
  for (int i = 0; i < 200'000; ++i) junk += static_cast<char>(random());
  for (const auto make : kMakers) check_order(tell_log(make, junk));
  CHECK(tell_log(PostfixLog::make, "\x02 mx postfix/smtpd[7]: > a[192.0.2.1]: 220 mx\n")
            .notices.front()
            .kind == SourceNotice::Kind::kCorrupt);
}

TEST_CASE("logs that were cut and spoiled anywhere") {
  std::mt19937 random(11);
  for (std::size_t i = 0; i < std::size(kMakers); ++i) {
    const std::string whole = log_file(kFiles[i]);
    for (int round = 0; round < 60; ++round) {
      std::string spoiled = whole.substr(random() % whole.size());
      for (int hits = 0; hits < 20; ++hits) {
        spoiled[random() % spoiled.size()] = static_cast<char>(random());
      }
      check_order(tell_log(kMakers[i], spoiled));
    }
  }
}

TEST_CASE("a line without an end is not kept") {
  const std::string endless(300 * 1024, 'x');
  const ToldLog told = tell_log(PostfixLog::make, endless + "\n" + log_file("postfix-origin.log"));
  CHECK(told.lines.size() == 23);
  REQUIRE_FALSE(told.notices.empty());
  CHECK(told.notices.front().text ==
        "1 line could not be read; the first is line 1: it is longer than any that a program logs");
  CHECK(tell_log(PostfixLog::make, endless).notices.front().count == 1);
}

TEST_CASE("more sessions at a time than any server has") {
  std::string log;
  for (std::size_t i = 0; i < LogTable::kMaxOpen + 3; ++i) {
    log += fmt::format("Nov 25 12:00:00 mx postfix/smtpd[{}]: > unknown[192.0.2.1]: 220 mx\n", i);
  }
  const ToldLog told = tell_log(PostfixLog::make, log);
  CHECK(told.lines.size() == 2 * (LogTable::kMaxOpen + 3) + 3);
  CHECK(told.notices.front().count == 3);
}

TEST_CASE("a chunk of absurd length") {
  const auto log = [](const char* length) {
    return fmt::format(
        "Nov 25 12:00:00 mx postfix/smtpd[7]: < unknown[192.0.2.10]: BDAT {}\n"
        "Nov 25 12:00:00 mx postfix/smtpd[7]: < unknown[192.0.2.10]: BDAT {}\n",
        length, length);
  };
  CHECK(tell_log(PostfixLog::make, log("18446744073709551615")).lines.size() == 3);
  CHECK(tell_log(PostfixLog::make, log("1152921504606846976")).lines.size() == 4);
  CHECK(tell_log(PostfixLog::make, log("x")).lines.size() == 3);
}

TEST_CASE("a clock that is set back") {
  const ToldLog told = tell_log(PostfixLog::make,
                                "Nov 25 12:00:05 mx postfix/smtpd[7]: > a[192.0.2.1]: 220 mx\n"
                                "Nov 25 12:00:09 mx postfix/smtpd[7]: < a[192.0.2.1]: NOOP\n"
                                "Nov 25 12:00:01 mx postfix/smtpd[7]: > a[192.0.2.1]: 250 ok\n");
  CHECK(told.lines.back() == "1 +4.000 S 250 ok");
}
