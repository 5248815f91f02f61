#include "timeline/reasons/reason_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "timeline/reasons/reply_words.h"

namespace smtpscope::test {
namespace {

ReasonVerdict judge(std::uint16_t code, std::string_view enhanced, std::string_view stage,
                    std::string_view text) {
  return ReasonTable::built_in().judge(
      {.code = code, .enhanced = enhanced, .stage = reply_stage(stage).value(), .text = text});
}

std::string reason_of(std::uint16_t code, std::string_view enhanced, std::string_view stage,
                      std::string_view text) {
  return std::string(to_string(judge(code, enhanced, stage, text).reason));
}

std::vector<std::string> columns_of(const std::string& line) {
  std::vector<std::string> columns(1);
  for (const char octet : line) {
    if (octet == '\t') {
      columns.emplace_back();
    } else {
      columns.back() += octet;
    }
  }
  return columns;
}

TEST_CASE("replies of many servers have their reasons") {
  std::ifstream file(std::string(SMTPSCOPE_SOURCE_DIR) + "/tests/timeline/reasons/replies.tsv");
  std::string line;
  std::getline(file, line);
  std::size_t rows = 0;
  std::set<std::string> met;
  for (std::size_t number = 2; std::getline(file, line); ++number) {
    const std::vector<std::string> row = columns_of(line);
    INFO("line " << number << ": " << line);
    REQUIRE(row.size() >= 5);
    const std::string got =
        reason_of(static_cast<std::uint16_t>(std::stoi(row[0])), row[1], row[2], row[3]);
    CHECK((got == row[4] || (row.size() > 5 && got == row[5])));
    met.insert(row[4]);
    ++rows;
  }
  CHECK(rows > 100);
  CHECK(met.size() > 38);
}

TEST_CASE("every reason has a name and words") {
  for (std::size_t i = 0; i < kReplyReasons; ++i) {
    const auto reason = static_cast<ReplyReason>(i);
    INFO(to_string(reason));
    CHECK(reply_reason(to_string(reason)) == reason);
    const ReasonWords& words = ReasonTable::built_in().words(reason);
    CHECK(!words.says.empty());
    CHECK(words.means.ends_with('.'));
    CHECK(!words.checks.empty());
  }
  CHECK_FALSE(reply_reason("no-such").has_value());
}

TEST_CASE("the words count where the codes contradict them, and that is said") {
  const ReasonVerdict rate =
      judge(550, "5.1.1", "RCPT", "192.0.2.4 has sent to too many recipients this hour");
  CHECK(rate.reason == ReplyReason::kRateLimited);
  CHECK(rate.codes_say == ReplyReason::kRecipientUnknown);
  CHECK(rate.temporary);
  CHECK(rate.how == HowKnown::kWords);
  const ReasonVerdict unknown = judge(550, "5.1.1", "RCPT", "User unknown");
  CHECK_FALSE(unknown.codes_say.has_value());
  CHECK(unknown.how == HowKnown::kBoth);
  CHECK_FALSE(unknown.temporary);
}

TEST_CASE("what says nothing is not guessed") {
  CHECK(reason_of(550, "", "EOD", "xyzzy") == "unknown");
  CHECK(reason_of(554, "5.7.1", "EOD", "Rejected") == "policy-unspecified");
  CHECK(judge(550, "5.1.1", "RCPT", "http://answers.example/596").how == HowKnown::kEnhancedCode);
}

TEST_CASE("what somebody is called is not what the server says") {
  CHECK(reason_of(550, "5.1.1", "RCPT", "<spam.virus@greylist.example>: User unknown") ==
        "recipient-unknown");
  CHECK(plain_words("<Bob@example.net>:\r\n  Bo\xC3\xAEte\tpleine") == "addr@: boite pleine");
  CHECK(plain_words("\xD0\x9F\xD0\x9E") == "\xD0\xBF\xD0\xBE");
  CHECK(plain_words(std::string(100'000, 'x')).size() == kMaxReasonWords);
}

TEST_CASE("a reply in hand is taken apart") {
  const ReplyText reply = take_apart("550-5.7.26 not from here\r\n550 5.7.26 see the page");
  CHECK(reply.code == 550);
  CHECK(reply.enhanced == "5.7.26");
  CHECK(reply.text == "not from here\nsee the page");
  CHECK(take_apart("hello").code == 0);
  CHECK(take_apart("550").code == 550);
}

TEST_CASE("an administrator's table is asked first") {
  const auto table = ReasonTable::extended(
      "# ours\n[greylisted]\nsays come later\nwords 10: user unknown\n[spf]\nenhanced 10: 5.1.1\n",
      "ours.txt");
  REQUIRE(table.ok());
  const Refusal unknown{
      .code = 550, .enhanced = "5.1.0", .stage = ReplyStage::kRcpt, .text = "User unknown"};
  CHECK(table.value().judge(unknown).reason == ReplyReason::kGreylisted);
  CHECK(table.value().words(ReplyReason::kGreylisted).says == "come later");
}

TEST_CASE("what is wrong in a table is named with its line") {
  const auto error_of = [](std::string_view text) {
    const auto made = ReasonTable::extended(text, "ours.txt");
    return made.ok() ? std::string() : made.error().message;
  };
  CHECK(error_of("[nonsense]\n") == "ours.txt, line 1: there is no reason 'nonsense'");
  CHECK(error_of("words 5: x\n") == "ours.txt, line 1: comes before the first [reason]");
  CHECK(error_of("[spf]\nwords many: x\n") ==
        "ours.txt, line 2: 'many' is no weight from 1 to 200");
  CHECK(error_of("[spf]\nwords 5 at NOON: x\n") == "ours.txt, line 2: 'at NOON' is no condition");
  CHECK(error_of("[spf]\ncode 5: 99\n") == "ours.txt, line 2: '99' is no code");
  CHECK(error_of("[spf]\nwho aunt\n") == "ours.txt, line 2: 'aunt' is nobody who could act");
  CHECK(error_of("[spf]\nwords 5: (\n").starts_with("ours.txt: the pattern '(' of spf cannot"));
}

}  // namespace
}  // namespace smtpscope::test
